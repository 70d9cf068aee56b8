-- Says that messages are still held, so that no sweep for abandoned ones takes them.
--
-- KEYS[1] unacked_index  zset  tag by server time in seconds, rounded up
-- ARGV: the tags, at most 400
-- Returns 1.

-- The server refuses a script's first write when memory is short; this one, and what follows, needs none.
redis.call('ZREM', KEYS[1], '')
local now = tostring(redis.call('TIME')[1] + 1)
local arguments = {}
for _, tag in ipairs(ARGV) do
  arguments[#arguments + 1], arguments[#arguments + 2] = now, tag
end
redis.call('ZADD', KEYS[1], 'XX', unpack(arguments))
return 1
