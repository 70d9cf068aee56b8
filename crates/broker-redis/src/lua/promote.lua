-- Moves due messages to the front of their lists, the one that was due first foremost.
--
-- KEYS[1] unacked  hash   KEYS[2] unacked_index  zset   KEYS[3] celeriac.poison  hash   KEYS[4] celeriac.eta  zset, tag by due time in ms
-- ARGV[1] most messages   ARGV[2] key prefix   ARGV[3] separator of queue and step   ARGV[4] ms until the next try where a key is no list
-- Returns {moved, ms until the next is due, or -1 when none waits}. Tags that somebody else restored are dropped and counted as moved.

local function list_of(tag, queue)
  local step = string.match(tag, '^eta:p?(%d+):') or '0'
  local list = ARGV[2] .. cjson.decode('[' .. queue .. ']')[1]
  return step == '0' and list or list .. ARGV[3] .. step
end

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local due = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, ARGV[1])

-- The server refuses a script's first write when memory is short; moving needs none.
redis.call('ZREM', KEYS[2], '')
for at = #due, 1, -1 do
  local tag = due[at]
  local hash = string.find(tag, ':p', 1, true) and KEYS[3] or KEYS[1]
  local record = redis.call('HGET', hash, tag)
  local pushed
  if record then
    local envelope, queue = string.match(record, '^%[(.*),"",(".*")%]$')
    pushed = redis.pcall('RPUSH', list_of(tag, queue), envelope)
  end
  if type(pushed) == 'table' and pushed.err then
    redis.call('ZADD', KEYS[4], now + tonumber(ARGV[4]), tag)
  else
    redis.call('HDEL', hash, tag)
    redis.call('ZREM', KEYS[2], tag)
    redis.call('ZREM', KEYS[4], tag)
  end
end
local next_due = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')[2]
return { #due, next_due and math.max(0, tonumber(next_due) - now) or -1 }
