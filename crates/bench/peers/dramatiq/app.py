"""Dramatiq: actors on Redis, with its result backend where results are stored."""

import common
import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

broker = RedisBroker(url=common.URL)
if common.RESULTS:
    broker.add_middleware(Results(backend=RedisBackend(url=common.URL), store_results=True))
dramatiq.set_broker(broker)
TASKS = {"noop": dramatiq.actor(common.noop), "stamp": dramatiq.actor(common.stamp)}
