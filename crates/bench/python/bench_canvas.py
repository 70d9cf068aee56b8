"""Sends a chord or a chain with Python Celery's own client, waits for its result and prints the seconds: bench_canvas.py KIND TASKS."""

import sys
import time

from bench_app import noop
from celery import chain, chord

members = [noop.si() for _ in range(int(sys.argv[2]))]
begin = time.perf_counter()
flow = chord(members)(noop.si()) if sys.argv[1] == "chord" else chain(*members).apply_async()
flow.get(timeout=300)
print(time.perf_counter() - begin)
