"""Huey's producer."""

import common
from app import TASKS

common.produce(lambda task, *args: TASKS[task](*args))
