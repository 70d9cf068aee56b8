-- Declares dead whose lease has ended, and gives the caller those dead incarnations that nobody is busy with.
-- They stay in celeriac.dead until everything they held is ready again, so that another caller finishes what one left.
--
-- KEYS[1] celeriac.workers  zset  incarnation by the end of its lease, server time in ms
-- KEYS[2] celeriac.dead     zset  incarnation by the end of the last caller's claim, server time in ms
-- KEYS[3] celeriac.pulse    hash
-- ARGV[1] lease in ms   ARGV[2] how long the claim lasts, in ms   ARGV[3] most incarnations
-- Returns the incarnations.

local lease = tonumber(ARGV[1])
if now >= touch(KEYS[3], lease) then
  for _, incarnation in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[3])) do
    redis.call('ZREM', KEYS[1], incarnation)
    redis.call('ZADD', KEYS[2], 0, incarnation)
  end
end
local claimed = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[3])
for _, incarnation in ipairs(claimed) do
  redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), incarnation)
end
return claimed
