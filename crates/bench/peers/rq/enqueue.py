"""RQ's producer."""

import common
import redis
import rq

queue = rq.Queue("default", connection=redis.Redis.from_url(common.URL))
keep = {} if common.RESULTS else {"result_ttl": 0}

common.produce(lambda task, *args: queue.enqueue(f"tasks.{task}", *args, **keep))
