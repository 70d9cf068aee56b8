-- Renews a lease that nobody has declared dead.
--
-- KEYS[1] celeriac.workers  zset  incarnation by the end of its lease, server time in ms
-- ARGV[1] incarnation   ARGV[2] lease in ms
-- Returns 1, or 0 when the lease is gone.

if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
-- The server refuses a script's first write when memory is short. This one needs none, and what follows hardly any:
-- without it every worker would count as dead on a full server.
redis.call('ZREM', KEYS[1], '')
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
return 1
