-- Begins the lease of a new incarnation.
--
-- KEYS[1] celeriac.workers  zset  incarnation by the end of its lease, server time in ms
-- KEYS[2] celeriac.nodes    hash  incarnation -> description   KEYS[3] celeriac.pulse  hash
-- ARGV[1] incarnation   ARGV[2] lease in ms   ARGV[3] description
-- Returns 1.

local lease = tonumber(ARGV[2])
touch(KEYS[3], lease)
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
return 1
