"""taskiq: coroutines on a Redis list."""

import common
from taskiq_redis import ListQueueBroker, RedisAsyncResultBackend

broker = ListQueueBroker(common.URL)
if common.RESULTS:
    broker = broker.with_result_backend(RedisAsyncResultBackend(common.URL, result_ex_time=86400))


@broker.task(task_name="noop")
async def noop():
    return common.noop()


@broker.task(task_name="stamp")
async def stamp(sent: float):
    return common.stamp(sent)


TASKS = {"noop": noop, "stamp": stamp}
