"""Sends stamps with Python Celery's own client: bench_send.py COUNT GAP_MS."""

import sys
import time

from bench_app import stamp

for _ in range(int(sys.argv[1])):
    stamp.apply_async((time.time(),))
    time.sleep(int(sys.argv[2]) / 1000)
