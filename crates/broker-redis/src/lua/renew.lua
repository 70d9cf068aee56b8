-- Renews a lease that nobody has declared dead.
--
-- KEYS[1] celeriac.workers  zset  incarnation by the end of its lease, server time in ms   KEYS[2] celeriac.pulse  hash
-- ARGV[1] incarnation   ARGV[2] lease in ms
-- Returns 1, or 0 when the lease is gone.

local lease = tonumber(ARGV[2])
touch(KEYS[2], lease)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
return 1
