"""Sends drill.record `count` times; arguments: journal, count, milliseconds, and the first number."""

import sys

from interop import record

journal, count, milliseconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
first = int(sys.argv[4]) if len(sys.argv) > 4 else 0
for number in range(first, first + count):
    record.delay(number, journal, milliseconds)
print(count)
