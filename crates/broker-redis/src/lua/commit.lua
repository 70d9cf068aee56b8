-- Writes a space's entries and publishes, if the lease is still held under the fence.
--
-- KEYS[1] the lease  string '<fence> <owner>'   KEYS[2] the space  hash
-- ARGV[1] fence   ARGV[2] number of entries, for each: name, '1' or '0' (delete), value
-- then for each message 'LPUSH' or 'PUBLISH', key, payload
-- Returns 1, 0 when the lease is not held, or a text: why nothing was done.

local held = redis.call('GET', KEYS[1])
if not held or string.match(held, '^%d+') ~= ARGV[1] then
  return 0
end
local messages = 3 + 3 * tonumber(ARGV[2])
for at = messages, #ARGV, 3 do
  local kind = redis.call('TYPE', ARGV[at + 1]).ok
  if ARGV[at] == 'LPUSH' and kind ~= 'list' and kind ~= 'none' then
    return 'key ' .. ARGV[at + 1] .. ' is no list but a ' .. kind
  end
end
for at = 3, messages - 1, 3 do
  if ARGV[at + 1] == '1' then
    redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 2])
  else
    redis.call('HDEL', KEYS[2], ARGV[at])
  end
end
for at = messages, #ARGV, 3 do
  redis.call(ARGV[at], ARGV[at + 1], ARGV[at + 2])
end
return 1
