"""Sends drill.record `count` times; arguments: journal, count, milliseconds."""

import sys

from interop import record

journal, count, milliseconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for number in range(count):
    record.delay(number, journal, milliseconds)
print(count)
