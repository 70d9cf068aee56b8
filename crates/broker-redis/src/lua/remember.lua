-- Remembers texts until a time of this server's clock, and forgets those whose time is over and the oldest of too many.
--
-- KEYS[1] celeriac.remembered:<space>  zset, text by the end of its time in ms
-- ARGV[1] ms to keep   ARGV[2] most texts   ARGV[3..] texts
-- Returns how many are remembered.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)

-- Texts of one moment are a microsecond apart, so that they stay in order.
local ends = now + ARGV[1]
local latest = redis.call('ZRANGE', KEYS[1], ends + 1000, ends, 'BYSCORE', 'REV', 'LIMIT', 0, 1, 'WITHSCORES')[2]
ends = latest and latest + 0.001 or ends
for at = 3, #ARGV do
  redis.call('ZADD', KEYS[1], string.format('%.3f', ends + (at - 3) / 1000), ARGV[at])
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - ARGV[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
if last then
  redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.ceil(last)))
end
return redis.call('ZCARD', KEYS[1])
