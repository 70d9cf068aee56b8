"""Publishes tasks one by one with Python Celery's own client and prints the seconds: bench_publish.py COUNT."""

import sys
import time

from bench_app import noop

begin = time.perf_counter()
for _ in range(int(sys.argv[1])):
    noop.apply_async()
print(time.perf_counter() - begin)
