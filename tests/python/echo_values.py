"""Sends every kind of value that Celery's JSON carries through drill.echo and compares what comes back."""

import datetime
import decimal
import uuid

from interop import app

VALUES = [
    None,
    True,
    -7,
    2**70,
    1.5,
    1e-07,
    "Grüße, 世界 \U0001f600",
    [1, [2, []], {}],
    {"a": {"b": None}, "1": "x"},
    decimal.Decimal("1.50"),
    datetime.datetime(2031, 2, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc),
    datetime.date(2031, 1, 2),
    datetime.time(1, 2, 3),
    uuid.UUID(int=5),
    b"abc",
    b"\xff\x00",
]

for value in VALUES:
    back = app.send_task("drill.echo", [value]).get(timeout=30)
    assert back == value and type(back) is type(value), (value, back)
for value in (float("nan"), float("inf")):
    back = app.send_task("drill.echo", kwargs={"value": value}).get(timeout=30)
    assert str(back) == str(value), (value, back)
print(len(VALUES) + 2)
