-- Carries out settlements: each one whole, and only if its tag is still held.
--
-- KEYS[1] unacked          hash      KEYS[2] unacked_index   zset    KEYS[3] celeriac.poison  hash
-- KEYS[4] celeriac.eta     zset, tag by due time in ms
-- KEYS[5] celeriac.parked  hash      KEYS[6] celeriac.parked_index  zset, id by time in ms
-- ARGV[1] what the keys of early acknowledgements begin with (+ incarnation: hash, tag -> meta of the loss)
-- ARGV[2] number of settlements   ARGV[3..] their tags; then for each settlement, one after the other:
--   'ack' | 'keep' | 'early', meta | 'defer', due ms, ms left | 'move', 'LPUSH' or 'RPUSH', list, envelope | 'park', id, record, ms
--   0, or 1, key, value, ttl, known                 (see `store`)
--   number of messages, and for each 'LPUSH' or 'PUBLISH', key, payload, or 'ONCE', key of a call's name, 'messages seconds': if the name is
--     known, so many messages after it are dropped, else it is known from now on for so many seconds
--   0, or 1, the terms of chords, and the effects   (see chord.lua and `read_effects`)
-- Returns for each settlement 1 done, 0 refused, 2 a stored meta is compressed (nothing done), 3 the task was its chord's last member and
-- the claim is the tag's (only the meta and the count were written), 4 a claim is somebody else's (no more than that was written), or a
-- text: why nothing was done.

-- Operands are read where they stand in ARGV: tables of their own for each settlement would cost as much as the rest.
local OPERANDS = { ack = 0, keep = 0, early = 1, defer = 2, move = 3, park = 3 }
local FIELDS_OF_STORE, FIELDS_OF_MESSAGE, TAGS = 4, 3, 2
local count = tonumber(ARGV[2])

-- Refusing a settlement for want of memory would run its task once more, and settling frees more than it takes. The server only
-- refuses a script's first write, so that is one that needs no memory.
redis.call('ZREM', KEYS[2], '')

local scores = {}
for first = 1, count, 400 do
  local last = math.min(first + 399, count)
  local found = redis.call('ZMSCORE', KEYS[2], unpack(ARGV, TAGS + first, TAGS + last))
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

function verbs.early(hash, tag, meta)
  remove(hash, tag)
  redis.call('HSET', ARGV[1] .. string.match(tag, '^[^:]*'), tag, meta)
end

-- The new tag names no incarnation, so that no sweep takes it. What is due by this server's clock but not by the worker's would go to
-- and fro without a pause, so it waits for what the worker says is left.
function verbs.defer(hash, tag, due, left)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  if tonumber(due) <= now then
    due = now + tonumber(left)
  end
  local record = redis.call('HGET', hash, tag)
  local incarnation, step, sequence = string.match(tag, '^([^:]*):([^:]*):(.*)$')
  local waiting = 'eta:' .. step .. ':' .. incarnation .. '-' .. sequence
  remove(hash, tag)
  redis.call('HSET', hash, waiting, record)
  if hash == KEYS[1] then
    redis.call('ZADD', KEYS[2], tonumber(due) / 1000, waiting)
  end
  redis.call('ZADD', KEYS[4], due, waiting)
end

function verbs.move(hash, tag, push, list, envelope)
  remove(hash, tag)
  redis.call(push, list, envelope)
end

function verbs.park(hash, tag, id, record, now)
  remove(hash, tag)
  redis.call('HSET', KEYS[5], id, record)
  redis.call('ZADD', KEYS[6], now, id)
end

local function no_list(key)
  local kind = redis.call('TYPE', key).ok
  return kind ~= 'list' and kind ~= 'none' and 'key ' .. key .. ' is no list but a ' .. kind
end

-- Why a settlement cannot be carried out, or nil. Looked at before anything is written.
local function obstacle(hash, verb, operands, messages, published)
  if hash ~= KEYS[1] and hash ~= KEYS[3] and verb ~= 'ack' and verb ~= 'keep' then
    return 'it was acknowledged early and its message is gone'
  end
  local reason = verb == 'move' and no_list(ARGV[operands + 2])
  for i = messages, messages + FIELDS_OF_MESSAGE * (published - 1), FIELDS_OF_MESSAGE do
    reason = reason or ARGV[i + 1] == 'LPUSH' and no_list(ARGV[i + 2])
  end
  return reason
end

-- A list of effects: where its fields begin, how many entries it has, and of how many fields each.
local function read_list(at, fields)
  local count = tonumber(ARGV[at])
  return { first = at + 1, count = count, fields = fields, after = at + 1 + count * fields }
end

-- The effects after a place in ARGV: number of metas with key, value, ttl, known; number of chords to finish with chord, keep (0 or 1); number (0 or 1) of
-- counts with chord, name, score, member; number of chords to open with chord, size, header; number of chords to grow with chord, members.
local function read_effects(at)
  local effects = { terms = read_terms(at + 1) }
  effects.metas = read_list(at + 1 + FIELDS_OF_TERMS, FIELDS_OF_STORE)
  effects.finish = read_list(effects.metas.after, 2)
  effects.count = read_list(effects.finish.after, 4)
  effects.open = read_list(effects.count.after, 3)
  effects.grow = read_list(effects.open.after, 2)
  return effects
end

local function each(list, call)
  for at = list.first, list.after - 1, list.fields do
    local stop = call(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
    if stop then
      return stop
    end
  end
end

-- Why the effects cannot be carried out, or what ends the settlement before anything is written.
local function before(effects, tag)
  local function odd(chord)
    return chords.obstacle(effects.terms, chord)
  end
  local function unreadable(key, _, _, known)
    return is_unreadable(key, known) and 2
  end
  local function lost(chord)
    return chords.hold(effects.terms, chord, tag) == 0 and 4
  end
  return each(effects.count, odd) or each(effects.grow, odd) or each(effects.metas, unreadable) or each(effects.finish, lost)
end

local function growth_of(effects, chord)
  local added = 0
  each(effects.grow, function(grown, members)
    added = added + (grown == chord and members or 0)
  end)
  return added
end

-- Counts the task as a member of a chord as large as it will be; returns what this ends the settlement with, or nil.
local function count_part(effects, tag)
  local ends = { complete = 3, claimed = 4 }
  return each(effects.count, function(chord, name, score, member)
    return ends[chords.count(effects.terms, chord, name, score, member, tag, growth_of(effects, chord))]
  end)
end

local function apply(effects)
  each(effects.grow, function(chord, members)
    chords.grow(effects.terms, chord, members)
  end)
  each(effects.metas, function(key, value, ttl, known)
    store(key, value, ttl, known)
  end)
  each(effects.open, function(chord, size, header)
    chords.open(effects.terms, chord, size, header)
  end)
end

local function publish(messages, published)
  local at, last = messages, messages + FIELDS_OF_MESSAGE * (published - 1)
  while at <= last do
    local verb, key, payload = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    if verb ~= 'ONCE' then
      redis.call(verb, key, payload)
    else
      local called, seconds = string.match(payload, '(%d+) (%d+)')
      if not redis.call('SET', key, '1', 'NX', 'EX', seconds) then
        at = at + FIELDS_OF_MESSAGE * tonumber(called)
      end
    end
    at = at + FIELDS_OF_MESSAGE
  end
end

-- `operands`, `stored` and `messages` are the places in ARGV before the respective fields; `stored` is false without a meta.
local function carry_out(hash, tag, verb, operands, stored, messages, published, effects)
  local ended = obstacle(hash, verb, operands, messages, published)
  if not ended and effects then
    ended = stored and is_unreadable(ARGV[stored + 1], ARGV[stored + 4]) and 2 or before(effects, tag)
  end
  if ended then
    return ended
  end
  if stored and store(ARGV[stored + 1], ARGV[stored + 2], ARGV[stored + 3], ARGV[stored + 4]) == 'compressed' then
    return 2
  end
  if effects then
    ended = count_part(effects, tag)
    if ended then
      return ended
    end
    apply(effects)
  end
  publish(messages, published)
  verbs[verb](hash, tag, ARGV[operands + 1], ARGV[operands + 2], ARGV[operands + 3])
  if effects then
    each(effects.finish, function(chord, keep)
      chords.finish(effects.terms, chord, tag, keep)
    end)
  end
  return 1
end

local answers, at = {}, TAGS + count + 1
for i = 1, count do
  local tag, verb, operands = ARGV[TAGS + i], ARGV[at], at
  at = at + OPERANDS[verb] + 1
  local stored = ARGV[at] == '1' and at
  at = at + (stored and FIELDS_OF_STORE or 0) + 1
  local published, messages = tonumber(ARGV[at]), at
  at = at + FIELDS_OF_MESSAGE * published + 1
  local effects = ARGV[at] == '1' and read_effects(at)
  at = effects and effects.grow.after or at + 1
  local hash = holder(tag, scores[i])
  answers[i] = hash and carry_out(hash, tag, verb, operands, stored, messages, published, effects) or 0
end
for first = 1, #acked, 400 do
  local last = math.min(first + 399, #acked)
  redis.call('HDEL', KEYS[1], unpack(acked, first, last))
  redis.call('ZREM', KEYS[2], unpack(acked, first, last))
end
return answers
