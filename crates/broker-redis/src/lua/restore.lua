-- Puts held messages back at the front of their lists, each only if it is still held.
--
-- KEYS[1] unacked  hash   KEYS[2] unacked_index  zset   KEYS[3] celeriac.poison  hash
-- ARGV: tag, envelope, number of lists, the lists; and again
-- Returns how many were put back. A message whose key is no list stays held.

local function is_list(key)
  local kind = redis.call('TYPE', key).ok
  return kind == 'list' or kind == 'none'
end

local function restore(tag, envelope, first, last)
  for list = first, last do
    if not is_list(ARGV[list]) then
      return 0
    end
  end
  local held = redis.call('HDEL', KEYS[1], tag) + redis.call('HDEL', KEYS[3], tag)
  redis.call('ZREM', KEYS[2], tag)
  if held == 0 then
    return 0
  end
  for list = first, last do
    redis.call('RPUSH', ARGV[list], envelope)
  end
  return 1
end

local restored, at = 0, 1
while at < #ARGV do
  local lists = tonumber(ARGV[at + 2])
  restored = restored + restore(ARGV[at], ARGV[at + 1], at + 3, at + 2 + lists)
  at = at + 3 + lists
end
return restored
