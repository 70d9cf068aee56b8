"""Huey: tasks on a Redis list."""

import common
from huey import RedisHuey

huey = RedisHuey("bench", url=common.URL, results=common.RESULTS, store_none=common.RESULTS)
TASKS = {"noop": huey.task()(common.noop), "stamp": huey.task()(common.stamp)}
