"""What the Python peers share: the body of the stamp task, and a producer's loop."""

import os
import sys
import time

URL = os.environ["BENCH_BROKER_URL"]
RESULTS = os.environ["BENCH_RESULTS"] == "1"

stamps = None


def noop():
    return None


def stamp(sent):
    """Notes when it was sent and when it started."""
    global stamps
    started = time.time()
    if stamps is None:
        stamps = os.open(os.environ["BENCH_STAMPS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(stamps, b"%.6f %.6f\n" % (sent, started))


def produce(send):
    """Sends as the arguments say: noop COUNT, or stamp COUNT with a pause of 20 ms after each."""
    task, count = sys.argv[1], int(sys.argv[2])
    for _ in range(count):
        if task == "stamp":
            send("stamp", time.time())
            time.sleep(0.02)
        else:
            send("noop")
