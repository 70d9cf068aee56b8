-- Renews a lease that nobody has declared dead.
--
-- KEYS[1] celeriac.workers  zset  incarnation by the end of its lease, server time in ms
-- ARGV[1] incarnation   ARGV[2] lease in ms
-- Returns 1, or 0 when the lease is gone.

if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
return 1
