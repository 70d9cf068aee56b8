"""The tasks of the random canvas trees; the conformance worker has the same in Rust.

Each run is counted in Redis, so that it can be told whether something ran twice or not at all.
"""

import os
import time

import redis
from celery import Celery, Signature

URL = os.environ["CELERY_BROKER_URL"]
MODULUS = 1_000_003

app = Celery("trees", broker=URL, backend=URL)
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=4,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
store = redis.Redis.from_url(URL)


def fold(value):
    """One small number for any result, in which every part and the order count."""
    if isinstance(value, int):
        return value % MODULUS
    if value is None:
        return 7
    number = 1
    for item in value:
        number = (number * 31 + fold(item)) % MODULUS
    return number


@app.task(name="trees.leaf", bind=True, max_retries=2)
def leaf(self, *results, weight, plan, pause=0):
    request = self.request
    record(request)
    time.sleep(pause)
    if plan["do"] == "fail":
        raise ValueError(f"leaf {weight}")
    if plan["do"] == "retry" and request.retries < plan["times"]:
        raise self.retry(countdown=0, exc=RuntimeError(f"again {weight}"))
    if plan["do"] == "replace":
        return self.replace(Signature.from_dict(plan["with"]))
    return fold([weight, list(results)])


def record(request):
    """Counts the run by task and attempt."""
    count(request, "trees.runs", f"{request.id}:{request.retries}")
    store.hset("trees.nesting", request.id, request.replaced_task_nesting or 0)


def count(request, table, key):
    """Counts first deliveries in their table, and later ones of the same message by themselves."""
    again = (request.delivery_info or {}).get("redelivered")
    store.hincrby("trees.again" if again else table, key, 1)


@app.task(name="trees.note")
def note(subject=None, *, label):
    """A callback or errback: counts its calls by label and by what it is called with."""
    about = subject if isinstance(subject, str) else fold(subject)
    count(note.request, "trees.notes", f"{label}:{about}")
