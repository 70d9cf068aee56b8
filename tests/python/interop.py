"""The Python side of the interop tests: a Celery application whose tasks the Rust drill worker has too.

Broker, backend and visibility timeout come from the environment. A run is written to the journal as one line when it
starts and one when it ends, each in a single append, so that a killed process leaves whole lines.
"""

import os
import time

from celery import Celery

app = Celery(
    "interop",
    broker=os.environ["CELERY_BROKER_URL"],
    backend=os.environ["CELERY_RESULT_BACKEND"],
)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": float(os.environ.get("VISIBILITY_TIMEOUT", "3600")),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    },
)


def journal(path, *words):
    line = " ".join(str(word) for word in words) + "\n"
    with open(path, "ab", buffering=0) as file:
        file.write(line.encode())


@app.task(name="drill.record")
def record(number, journal_path, milliseconds=0):
    journal(journal_path, "start", number, os.getpid(), time.time_ns() // 1_000_000)
    time.sleep(milliseconds / 1000)
    journal(journal_path, "end", number, os.getpid(), time.time_ns() // 1_000_000)
    return number


@app.task(name="drill.echo")
def echo(value):
    return value
