-- Begins the lease of a new incarnation.
--
-- KEYS[1] celeriac.workers  zset  incarnation by the end of its lease, server time in ms
-- KEYS[2] celeriac.nodes    hash  incarnation -> description
-- ARGV[1] incarnation   ARGV[2] lease in ms   ARGV[3] description
-- Returns 1.

-- The server refuses a script's first write when memory is short. This one needs none: a worker that lost its lease gets the next
-- one on a full server too.
redis.call('ZREM', KEYS[1], '')
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
return 1
