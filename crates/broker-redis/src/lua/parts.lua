-- Reads a slice of a chord's members, so many that neither their number nor their bytes occupy the server for long.
--
-- KEYS[1] members  zset or list
-- ARGV[1] place of the first   ARGV[2] most members   ARGV[3] bytes after which no further member is read
-- Returns member, score and again; a list's members have the score 'inf'.

local kind = redis.call('TYPE', KEYS[1]).ok
local first, found, bytes = tonumber(ARGV[1]), {}, 0
for place = first, first + ARGV[2] - 1 do
  local member, score
  if kind == 'zset' then
    local pair = redis.call('ZRANGE', KEYS[1], place, place, 'WITHSCORES')
    member, score = pair[1], pair[2]
  elseif kind == 'list' then
    member, score = redis.call('LINDEX', KEYS[1], place), 'inf'
  end
  if not member or bytes >= tonumber(ARGV[3]) then
    break
  end
  bytes = bytes + #member
  found[#found + 1], found[#found + 2] = member, score
end
return found
