-- Acquires or renews a lease. Fences come from the server's clock, so that they grow even when the server lost its memory.
--
-- KEYS[1] the lease  string '<fence> <owner>'   KEYS[2] the last fence  string
-- ARGV[1] owner   ARGV[2] ttl in ms
-- Returns the fence, or nil when somebody else holds the lease.

local held = redis.call('GET', KEYS[1])
if held then
  local fence, owner = string.match(held, '^(%d+) (.*)$')
  if owner ~= ARGV[1] then
    return false
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return tonumber(fence)
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local fence = math.max(now, tonumber(redis.call('GET', KEYS[2]) or 0) + 1)
local text = string.format('%.0f', fence)
redis.call('SET', KEYS[2], text)
redis.call('SET', KEYS[1], text .. ' ' .. ARGV[1], 'PX', ARGV[2])
return fence
