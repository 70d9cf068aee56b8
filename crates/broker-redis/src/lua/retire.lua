-- Ends a lease. An incarnation that still holds something, or acknowledged early what it did not finish, is left to the sweep.
--
-- KEYS[1] celeriac.workers  zset     KEYS[2] celeriac.nodes  hash     KEYS[3] celeriac.dead  zset
-- KEYS[4] early acknowledgements of this incarnation  hash
-- ARGV[1] incarnation   ARGV[2] '1' when it could not give everything back
-- Returns 1.

redis.call('ZREM', KEYS[1], ARGV[1])
if ARGV[2] == '1' or redis.call('EXISTS', KEYS[4]) == 1 then
  redis.call('ZADD', KEYS[3], 0, ARGV[1])
else
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return 1
