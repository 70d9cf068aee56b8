-- Acknowledges messages and stores their results: what a batch usually consists of. All other settlements are settle.lua's.
--
-- KEYS[1] unacked  hash   KEYS[2] unacked_index  zset   KEYS[3] celeriac.poison  hash
-- ARGV[1] what the keys of early acknowledgements begin with (+ incarnation: hash, tag -> meta of the loss)
-- ARGV[2] number of settlements, at most 400   ARGV[3] how long metas are kept: seconds as text, '0' for ever
-- ARGV[4..] the tags; then, if any stores a meta, for each its key and the meta ('' and '' if it stores none)
-- Returns 1 when all are done, else for each 1 done, 0 refused, 2 the stored meta is compressed (nothing done).

local count, ttl = tonumber(ARGV[2]), ARGV[3]
local FIRST, LAST = 4, 3 + count

-- Leaving the index needs no memory, so the server lets it through as the script's first write even when memory is short: a settlement
-- that is refused would run its task once more. That all were there says that all are held, without asking for each.
local all_held = redis.call('ZREM', KEYS[2], unpack(ARGV, FIRST, LAST)) == count

local keys = {}
for at = LAST + 1, #ARGV, 2 do
  if ARGV[at] ~= '' then
    keys[#keys + 1] = ARGV[at]
  end
end
-- With nothing stored under any of the keys there is nothing to look at before writing.
local all_new = #keys == 0 or redis.call('EXISTS', unpack(keys)) == 0

local settled = {}

-- The hash that holds the tag, or nil.
local function holder(tag)
  if settled[tag] then
    return nil
  end
  settled[tag] = true
  local key = KEYS[1]
  if redis.call('HEXISTS', key, tag) == 0 then
    key = string.find(tag, ':p', 1, true) and KEYS[3] or ARGV[1] .. string.match(tag, '^[^:]*')
    return redis.call('HEXISTS', key, tag) == 1 and key or nil
  end
  return key
end

local function set(key, value)
  if ttl == '0' then
    return redis.call('SET', key, value, 'GET')
  end
  return redis.call('SET', key, value, 'EX', ttl, 'GET')
end

-- As `store`.
local function write(key, value)
  if not all_new then
    return store(key, value, ttl, '')
  end
  local before = set(key, value)
  if before then
    -- Two settlements of this batch are of one task.
    set(key, before)
    return store(key, value, ttl, '')
  end
  redis.call('PUBLISH', key, value)
end

local answers, done, leaving = {}, 0, {}
for i = 1, count do
  local tag, key, value = ARGV[3 + i], ARGV[LAST + 2 * i - 1], ARGV[LAST + 2 * i]
  local hash = all_held and KEYS[1] or holder(tag)
  if not hash then
    answers[i] = 0
  elseif key and key ~= '' and write(key, value) == 'compressed' then
    answers[i] = 2
    if hash == KEYS[1] then
      redis.call('ZADD', KEYS[2], redis.call('TIME')[1] + 1, tag)
    end
  else
    answers[i], done = 1, done + 1
    if hash == KEYS[1] then
      leaving[#leaving + 1] = tag
    else
      redis.call('HDEL', hash, tag)
    end
  end
end
if #leaving > 0 then
  redis.call('HDEL', KEYS[1], unpack(leaving))
end
return done == count and 1 or answers
