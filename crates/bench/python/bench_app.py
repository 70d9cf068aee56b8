"""The benchmark's tasks for Python Celery; the same as in tasks.rs."""

import os
import time

from celery import Celery

URL = os.environ["BENCH_BROKER_URL"]
RESULTS = os.environ["BENCH_RESULTS"] == "1"

app = Celery("bench", broker=URL, backend=URL if RESULTS else None)
app.conf.update(task_ignore_result=not RESULTS, broker_connection_retry_on_startup=True)

stamps = None


@app.task(name="bench.noop")
def noop():
    return None


@app.task(name="bench.stamp")
def stamp(sent):
    global stamps
    started = time.time()
    if stamps is None:
        stamps = os.open(os.environ["BENCH_STAMPS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(stamps, b"%.6f %.6f\n" % (sent, started))
