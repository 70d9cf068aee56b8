"""A Celery client of the conformance worker: the application, its tasks by name, and what the checks share."""

import os
import sys
import time
import types
import uuid

import redis
from celery import Celery

URL = os.environ["CELERY_BROKER_URL"]
PATIENCE = int(os.environ.get("PATIENCE", "60"))

app = Celery("conformance", broker=URL, backend=URL, set_as_current=True)
store = redis.Redis.from_url(URL, decode_responses=True)


class ExpectedException(Exception):
    """What the task `fail` raises. Celery finds the class by the module and the name that are stored."""


MODULE = types.ModuleType("t.integration.tasks")
MODULE.ExpectedException = ExpectedException
ExpectedException.__module__ = MODULE.__name__
sys.modules[MODULE.__name__] = MODULE


def task(name, *args, **kwargs):
    """A signature of one of the worker's tasks."""
    return app.signature(f"t.integration.tasks.{name}", args=args, kwargs=kwargs)


def get(result):
    return result.get(timeout=PATIENCE)


def run(signature, **options):
    """Sends the signature and waits for its result."""
    return get(signature.apply_async(**options))


def failure(result):
    """The class name and arguments of the exception that the result ends with."""
    try:
        value = get(result)
    except Exception as error:  # noqa: BLE001 - the class is what is looked at
        return type(error).__name__, error.args
    raise AssertionError(f"expected a failure, got {value!r}")


def stored(task_id):
    return app.backend.get_task_meta(task_id)


def key():
    """A key of Redis that nobody else uses."""
    return f"check-{uuid.uuid4()}"


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.02)


def calls(name, wanted):
    """Waits until the counter has reached the number, and gives late ones a moment to go beyond it."""
    until(lambda: int(store.get(name) or 0) >= wanted, lambda: f"{name}: {store.get(name)} of {wanted}")
    run(task("identity", 0))
    return int(store.get(name) or 0)


def has_line(name, line):
    """Waits until the list holds the line."""
    until(lambda: line in store.lrange(name, 0, -1), f"{line} is not in {name}")


def lines(name, wanted):
    """The list's items, sorted, once there are so many."""
    until(lambda: store.llen(name) >= wanted, lambda: f"{name}: {store.lrange(name, 0, -1)}")
    return sorted(store.lrange(name, 0, -1))
