-- Carries out settlements: each one whole, and only if its tag is still held.
--
-- KEYS[1] unacked          hash      KEYS[2] unacked_index   zset    KEYS[3] celeriac.poison  hash
-- KEYS[4] celeriac.eta     zset, tag by due time in ms
-- KEYS[5] celeriac.parked  hash      KEYS[6] celeriac.parked_index  zset, id by time in ms
-- ARGV[1] what the keys of early acknowledgements begin with (+ incarnation: hash, tag -> meta of the loss)
-- ARGV[2..] the settlements, one after the other:
--   tag, then  'ack' | 'keep' | 'early', meta | 'defer', due ms | 'move', 'LPUSH' or 'RPUSH', list, envelope | 'park', id, record, ms
--   then       0, or 1, key, value, ttl, known      (see `store`)
--   then       number of messages, and for each 'LPUSH' or 'PUBLISH', key, payload
-- Returns for each settlement 1 done, 0 refused, 2 the stored meta is compressed (nothing done), or a text: why nothing was done.

local at = 1
local function next_argument()
  at = at + 1
  return ARGV[at]
end

local OPERANDS = { ack = 0, keep = 0, early = 1, defer = 1, move = 3, park = 3 }

local function read(count)
  local read = {}
  for i = 1, count do
    read[i] = next_argument()
  end
  return read
end

local items, tags = {}, {}
while at < #ARGV do
  local item = { tag = next_argument(), verb = next_argument() }
  item.operands = read(OPERANDS[item.verb])
  item.store = next_argument() == '1' and read(4)
  item.publish = read(3 * tonumber(next_argument()))
  items[#items + 1], tags[#tags + 1] = item, item.tag
end

-- Refusing a settlement for want of memory would run its task once more, and settling frees more than it takes. The server only
-- refuses a script's first write, so that is one that needs no memory.
redis.call('ZREM', KEYS[2], '')

local scores = {}
for first = 1, #tags, 400 do
  local found = redis.call('ZMSCORE', KEYS[2], unpack(tags, first, math.min(first + 399, #tags)))
  for i = 1, #found do
    scores[first + i - 1] = found[i]
  end
end

local gone, acked = {}, {}

-- The hash that holds the tag, or nil.
local function holder(tag, score)
  if gone[tag] then
    return nil
  elseif score then
    return KEYS[1]
  end
  local key = ARGV[1] .. string.match(tag, '^[^:]*')
  if string.find(tag, ':p', 1, true) then
    key = KEYS[3]
  end
  return redis.call('HEXISTS', key, tag) == 1 and key or nil
end

local function remove(hash, tag)
  gone[tag] = true
  redis.call('HDEL', hash, tag)
  redis.call('ZREM', KEYS[2], tag)
end

local verbs = {}

function verbs.keep() end

function verbs.ack(hash, tag)
  if hash == KEYS[1] then
    gone[tag] = true
    acked[#acked + 1] = tag
  else
    remove(hash, tag)
  end
end

function verbs.early(hash, tag, operands)
  remove(hash, tag)
  redis.call('HSET', ARGV[1] .. string.match(tag, '^[^:]*'), tag, operands[1])
end

-- The new tag names no incarnation, so that no sweep takes it.
function verbs.defer(hash, tag, operands)
  local record = redis.call('HGET', hash, tag)
  local incarnation, step, sequence = string.match(tag, '^([^:]*):([^:]*):(.*)$')
  local waiting = 'eta:' .. step .. ':' .. incarnation .. '-' .. sequence
  remove(hash, tag)
  redis.call('HSET', hash, waiting, record)
  if hash == KEYS[1] then
    redis.call('ZADD', KEYS[2], tonumber(operands[1]) / 1000, waiting)
  end
  redis.call('ZADD', KEYS[4], operands[1], waiting)
end

function verbs.move(hash, tag, operands)
  remove(hash, tag)
  redis.call(operands[1], operands[2], operands[3])
end

function verbs.park(hash, tag, operands)
  remove(hash, tag)
  redis.call('HSET', KEYS[5], operands[1], operands[2])
  redis.call('ZADD', KEYS[6], operands[3], operands[1])
end

-- Why the item cannot be carried out, or nil. Looked at before anything is written.
local function obstacle(item, hash)
  if hash ~= KEYS[1] and hash ~= KEYS[3] and item.verb ~= 'ack' and item.verb ~= 'keep' then
    return 'it was acknowledged early and its message is gone'
  end
  local lists = item.verb == 'move' and { item.operands[2] } or {}
  for i = 1, #item.publish, 3 do
    if item.publish[i] == 'LPUSH' then
      lists[#lists + 1] = item.publish[i + 1]
    end
  end
  for _, key in ipairs(lists) do
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'list' and kind ~= 'none' then
      return 'key ' .. key .. ' is no list but a ' .. kind
    end
  end
end

local function carry_out(item, hash)
  local reason = obstacle(item, hash)
  if reason then
    return reason
  end
  if item.store and store(unpack(item.store)) == 'compressed' then
    return 2
  end
  for i = 1, #item.publish, 3 do
    redis.call(unpack(item.publish, i, i + 2))
  end
  verbs[item.verb](hash, item.tag, item.operands)
  return 1
end

local answers = {}
for i, item in ipairs(items) do
  local hash = holder(item.tag, scores[i])
  answers[i] = hash and carry_out(item, hash) or 0
end
for first = 1, #acked, 400 do
  local last = math.min(first + 399, #acked)
  redis.call('HDEL', KEYS[1], unpack(acked, first, last))
  redis.call('ZREM', KEYS[2], unpack(acked, first, last))
end
return answers
