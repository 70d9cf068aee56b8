"""Holds an election among all workers, for one run of drill.record; arguments: journal."""

import sys

from interop import app

action = app.signature("drill.record", args=[1, sys.argv[1], 0])
app.control.election("the one", "task", dict(action))
print("ok")
