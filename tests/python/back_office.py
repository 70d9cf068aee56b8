"""Sends the calls of a JSON file by their names, waits for all of them, and prints one JSON line for each, in their order."""

import json
import sys

from interop import app

calls = json.load(open(sys.argv[1], encoding="utf-8"))
sent = [
    app.send_task(
        call["task"],
        args=call["args"],
        kwargs=call["kwargs"],
        queue=call["queue"],
        task_id=call["id"],
    )
    for call in calls
]
for call, pending in zip(calls, sent):
    result = pending.get(timeout=120, propagate=False)
    if isinstance(result, BaseException):
        result = {"exception": type(result).__name__, "text": str(result)}
    print(json.dumps({"task": call["task"], "state": pending.state, "result": result}))
