"""Asks Flower until it shows the worker as online with this many succeeded tasks, then has it do what it can do to a worker;
arguments: worker, tasks."""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BASE = f"http://127.0.0.1:{os.environ['PORT']}"
WORKER, WANTED = sys.argv[1], int(sys.argv[2])
ONLINE = f'flower_worker_online{{worker="{WORKER}"}} 1.0'
# What Flower asks of a worker.
ASKED = {"stats", "registered", "active_queues", "conf", "active", "reserved", "scheduled", "revoked"}


def open_url(path):
    with urllib.request.urlopen(BASE + path, timeout=20) as answer:
        return answer.read().decode()


def ask(path):
    return json.loads(open_url(path))


def post(path, **fields):
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(BASE + path, data=data, timeout=20) as answer:
        return json.load(answer)["message"]


def run(name, *args):
    body = json.dumps({"args": args}).encode()
    with urllib.request.urlopen(f"{BASE}/api/task/apply/{name}", data=body, timeout=30) as answer:
        return json.load(answer)


def inspect():
    """What the worker has answered; nothing while Flower does not know the worker."""
    try:
        return ask(f"/api/workers?refresh=1&workername={WORKER}")
    except urllib.error.HTTPError:
        return {}


def wait():
    deadline = time.monotonic() + 40
    while True:
        workers = inspect()
        tasks = ask("/api/tasks?state=SUCCESS")
        seen = workers.get(WORKER, {})
        # The first heartbeat after Flower's start makes the worker count as online.
        online = ONLINE in open_url("/metrics")
        if online and ASKED <= set(seen) and "drill.record" in str(seen["registered"]) and len(tasks) >= WANTED:
            return tasks
        assert time.monotonic() < deadline, (workers, tasks)
        time.sleep(0.5)


def shows(tasks):
    info = ask(f"/api/task/info/{next(iter(tasks))}")
    assert info["worker"] == WORKER and info["state"] == "SUCCESS" and info["runtime"] is not None, info
    assert ask("/api/task/types")["task-types"], "task types"
    assert open_url("/healthcheck") == "OK"
    for page in ("/workers", f"/worker/{WORKER}"):
        assert WORKER in open_url(page), page
    metrics = open_url("/metrics")
    succeeded = f'flower_events_total{{task="drill.record",type="task-succeeded",worker="{WORKER}"}} {float(WANTED)}'
    assert succeeded in metrics, metrics


def does():
    said = [
        post(f"/api/worker/pool/grow/{WORKER}", n=1),
        post(f"/api/worker/pool/shrink/{WORKER}", n=1),
        post(f"/api/worker/queue/add-consumer/{WORKER}", queue="extra"),
        post(f"/api/worker/queue/cancel-consumer/{WORKER}", queue="extra"),
        post("/api/task/rate-limit/drill.record", workername=WORKER, ratelimit="100/s"),
        post("/api/task/timeout/drill.record", workername=WORKER, soft=30, hard=60),
        post("/api/task/revoke/no-such-task", terminate="true"),
    ]
    assert said == [
        f"Growing '{WORKER}' worker's pool by 1",
        f"Shrinking '{WORKER}' worker's pool by 1",
        "add consumer extra",
        "no longer consuming from extra",
        "new rate limit set successfully",
        "time limits set successfully",
        "Revoked 'no-such-task'",
    ], said
    applied = run("drill.echo", "through Flower")
    assert (applied["result"], applied["state"]) == ("through Flower", "SUCCESS"), applied


shows(wait())
does()
print("ok")
