"""Asks Flower's API until it shows the worker as online with this many succeeded tasks; arguments: worker, tasks."""

import json
import os
import sys
import time
import urllib.request


def ask(path):
    with urllib.request.urlopen(f"http://127.0.0.1:{os.environ['PORT']}{path}", timeout=10) as answer:
        return json.load(answer)


worker, wanted = sys.argv[1], int(sys.argv[2])
deadline = time.monotonic() + 40
while True:
    workers = ask("/api/workers?refresh=1")
    tasks = ask("/api/tasks?state=SUCCESS")
    seen = workers.get(worker, {})
    if "drill.record" in str(seen.get("registered")) and seen.get("stats") and len(tasks) >= wanted:
        break
    assert time.monotonic() < deadline, (workers, tasks)
    time.sleep(0.5)
print("ok")
