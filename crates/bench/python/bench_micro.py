"""What criterion's benches time, by Celery's own code: prints nanoseconds by name as JSON."""

import json
import os
import timeit
from datetime import datetime
from zoneinfo import ZoneInfo

os.environ.setdefault("BENCH_BROKER_URL", "memory://")
os.environ.setdefault("BENCH_RESULTS", "0")

from bench_app import app
from celery.schedules import crontab
from kombu.serialization import dumps, loads
from kombu.transport.virtual import Base64

TASK_ID = "0b4bb3ea-8b7c-4d7d-9b6c-6d2f2f8f1f6a"
SMALL = (1, 2)
LARGE = (list(range(1000)), "x" * 10000)
ACCOUNT = (17, "somebody", 0.01, True)
NAMES = ("account_id", "user", "tolerance", "dry_run")


@app.task(name="bench.reconcile")
def reconcile(account_id, user, tolerance, dry_run=None):
    return None


def encode(args):
    """A message as the producer makes it, down to the bytes that Redis keeps."""
    task = app.amqp.as_task_v2(TASK_ID, "bench.add", args, {}, origin="gen1@host")
    content_type, encoding, body = dumps(task.body, "json")
    return json.dumps(
        {
            "body": Base64().encode(body),
            "content-encoding": encoding,
            "content-type": content_type,
            "headers": task.headers,
            "properties": {**task.properties, "body_encoding": "base64", "delivery_mode": 2},
        }
    )


def decode(text):
    message = json.loads(text)
    body = Base64().decode(message["body"])
    return loads(body, message["content-type"], message["content-encoding"], accept={"application/json"})


def next_run(**fields):
    zone = ZoneInfo("America/New_York")
    last = datetime(2026, 1, 16, 17, 30, tzinfo=zone)
    schedule = crontab(nowfun=lambda: last, app=app, **fields)
    return lambda: schedule.remaining_estimate(last)


def meta():
    return dumps({"status": "SUCCESS", "result": 3, "traceback": None, "children": [], "date_done": "2026-01-01T00:00:00+00:00", "task_id": TASK_ID}, "json")


META = meta()
small, large = encode(SMALL), encode(LARGE)
named = dict(zip(NAMES, ACCOUNT))
WORK = {
    "message/encode_small": lambda: encode(SMALL),
    "message/encode_large": lambda: encode(LARGE),
    "message/decode_small": lambda: decode(small),
    "message/decode_large": lambda: decode(large),
    "meta/encode": meta,
    "meta/decode": lambda: loads(META[2], META[0], META[1], accept={"application/json"}),
    "bind/positional": lambda: reconcile.__header__(*ACCOUNT),
    "bind/keyword": lambda: reconcile.__header__(**named),
    "crontab/every_5_minutes": next_run(minute="*/5"),
    "crontab/weekdays": next_run(minute=30, hour=17, day_of_week="mon-fri"),
    "crontab/29_february": next_run(minute=0, hour=0, day_of_month=29, month_of_year=2),
}


def nanoseconds(work):
    timer = timeit.Timer(work)
    count, _ = timer.autorange()
    return min(timer.repeat(3, count)) / count * 1e9


print(json.dumps({name: nanoseconds(work) for name, work in WORK.items()}))
