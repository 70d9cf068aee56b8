-- Takes up to `max` messages and holds them for a living incarnation, in one step.
--
-- KEYS[1]   unacked           hash  tag -> [envelope,"",queue]
-- KEYS[2]   unacked_index     zset  tag by server time in seconds, rounded up
-- KEYS[3]   celeriac.poison   hash  tag -> same form, for payloads that are no JSON object
-- KEYS[4]   celeriac.workers  zset  incarnation by the end of its lease
-- KEYS[5..] the lists: every queue at the first step, every queue at the second, ...
-- ARGV[1] incarnation   ARGV[2] max   ARGV[3] first sequence number   ARGV[4] 'fair' or 'strict'   ARGV[5] number of queues
-- ARGV[6..] the queues' names as JSON text, then the steps
-- Returns -1 when the lease is gone, else {lots, odd}. lots: position among the lists (from 0), payloads, position, payloads, ...;
-- the n-th payload of all has sequence number first + n - 1. odd: positions of keys that cannot be popped from, beside others that can.
-- When nothing was taken and the reason is none of a single key, that reason as an error.

local incarnation, max, sequence = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local queues = tonumber(ARGV[5])
local steps = #ARGV - 5 - queues
local LISTS = 4

if not redis.call('ZSCORE', KEYS[4], incarnation) then
  return -1
end

local lots, odd, taken = {}, {}, 0
local refusal

local function pop(position, count)
  local got = redis.pcall('RPOP', KEYS[LISTS + position + 1], count)
  if got and got.err then
    odd[#odd + 1] = position
    if not string.find(got.err, 'WRONGTYPE', 1, true) then
      refusal = got
    end
    return {}
  end
  return got or {}
end

local function keep(position, payloads)
  if #payloads > 0 then
    lots[#lots + 1], lots[#lots + 2] = position, payloads
    taken = taken + #payloads
  end
end

local function take_strictly(first, wanted)
  for position = first, first + queues - 1 do
    local got = pop(position, wanted)
    keep(position, got)
    wanted = wanted - #got
    if wanted == 0 then
      return
    end
  end
end

-- Every queue that still has messages gets an equal share; what one leaves goes to the others in the next round.
local function take_fairly(first, wanted)
  local got_of, open, longest = {}, {}, 0
  for queue = 0, queues - 1 do
    got_of[queue], open[#open + 1] = {}, queue
  end
  while wanted > 0 and #open > 0 do
    local share, still = math.ceil(wanted / #open), {}
    for _, queue in ipairs(open) do
      local ask = math.min(share, wanted)
      local got = ask > 0 and pop(first + queue, ask) or {}
      for _, payload in ipairs(got) do
        table.insert(got_of[queue], payload)
      end
      wanted = wanted - #got
      longest = math.max(longest, #got_of[queue])
      if #got == ask then
        still[#still + 1] = queue
      end
    end
    open = still
  end
  for turn = 1, longest do
    for queue = 0, queues - 1 do
      keep(first + queue, { got_of[queue][turn] })
    end
  end
end

local take = (ARGV[4] == 'strict' or queues == 1) and take_strictly or take_fairly
for step = 0, steps - 1 do
  if taken < max then
    take(step * queues, max - taken)
  end
end

if refusal and taken == 0 then
  return refusal
end

-- The number of arguments of one call is bounded by Lua's stack.
local function write(command, key, arguments)
  for at = 1, #arguments, 400 do
    redis.call(command, key, unpack(arguments, at, math.min(at + 399, #arguments)))
  end
end

-- Whole seconds: the server reads and orders them several times faster than fractions. Rounded up, so that nothing is abandoned too early.
local now = tostring(redis.call('TIME')[1] + 1)
local sound, index, poison = {}, {}, {}
local byte, format = string.byte, string.format
for lot = 1, #lots, 2 do
  local position, payloads = lots[lot], lots[lot + 1]
  local step = ARGV[6 + queues + math.floor(position / queues)]
  local tail = ',"",' .. ARGV[6 + position % queues] .. ']'
  local prefix = incarnation .. ':' .. step .. ':'
  for at = 1, #payloads do
    local payload = payloads[at]
    if byte(payload, 1) == 123 and byte(payload, -1) == 125 then
      local tag = format('%s%d', prefix, sequence)
      local last = #index
      sound[last + 1], sound[last + 2] = tag, '[' .. payload .. tail
      index[last + 1], index[last + 2] = now, tag
    else
      poison[#poison + 1] = incarnation .. ':p' .. step .. ':' .. sequence
      poison[#poison + 1] = '[' .. payload .. tail
    end
    sequence = sequence + 1
  end
end
write('HSET', KEYS[1], sound)
write('ZADD', KEYS[2], index)
write('HSET', KEYS[3], poison)
return { lots, odd }
