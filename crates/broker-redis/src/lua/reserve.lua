-- Takes up to `max` messages and holds them for a living incarnation, in one step.
--
-- KEYS[1]   unacked           hash  tag -> [envelope,"",queue]
-- KEYS[2]   unacked_index     zset  tag by server time in seconds
-- KEYS[3]   celeriac.poison   hash  tag -> same form, for payloads that are no JSON object
-- KEYS[4]   celeriac.workers  zset  incarnation by the end of its lease
-- KEYS[5..] the lists: every queue at the first step, every queue at the second, ...
-- ARGV[1] incarnation   ARGV[2] max   ARGV[3] first sequence number   ARGV[4] 'fair' or 'strict'   ARGV[5] number of queues
-- ARGV[6..] the queues' names as JSON text, then the steps
-- Returns -1 when the lease is gone, else {taken, odd}. taken: position among the lists (from 0), payload, position, payload, ...;
-- the n-th has sequence number first + n - 1. odd: positions of keys that cannot be popped from, beside others that can. When nothing was
-- taken and the reason is none of a single key, that reason as an error.

local incarnation, max, sequence = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local queues = tonumber(ARGV[5])
local steps = #ARGV - 5 - queues
local LISTS = 4

if not redis.call('ZSCORE', KEYS[4], incarnation) then
  return -1
end

local taken, odd = {}, {}
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

local function keep(position, payload)
  taken[#taken + 1] = position
  taken[#taken + 1] = payload
end

local function take_strictly(first, wanted)
  for queue = 0, queues - 1 do
    local got = pop(first + queue, wanted)
    for _, payload in ipairs(got) do
      keep(first + queue, payload)
    end
    wanted = wanted - #got
    if wanted == 0 then
      return
    end
  end
end

-- Every queue that still has messages gets an equal share; what one leaves goes to the others in the next round.
local function take_fairly(first, wanted)
  local lots, open, longest = {}, {}, 0
  for queue = 0, queues - 1 do
    lots[queue], open[#open + 1] = {}, queue
  end
  while wanted > 0 and #open > 0 do
    local share, still = math.ceil(wanted / #open), {}
    for _, queue in ipairs(open) do
      local ask = math.min(share, wanted)
      local got = ask > 0 and pop(first + queue, ask) or {}
      for _, payload in ipairs(got) do
        table.insert(lots[queue], payload)
      end
      wanted = wanted - #got
      longest = math.max(longest, #lots[queue])
      if #got == ask then
        still[#still + 1] = queue
      end
    end
    open = still
  end
  for turn = 1, longest do
    for queue = 0, queues - 1 do
      if lots[queue][turn] then
        keep(first + queue, lots[queue][turn])
      end
    end
  end
end

for step = 0, steps - 1 do
  local wanted = max - #taken / 2
  if wanted > 0 then
    (ARGV[4] == 'strict' and take_strictly or take_fairly)(step * queues, wanted)
  end
end

if refusal and #taken == 0 then
  return refusal
end

-- The number of arguments of one call is bounded by Lua's stack.
local function write(command, key, arguments)
  for at = 1, #arguments, 400 do
    redis.call(command, key, unpack(arguments, at, math.min(at + 399, #arguments)))
  end
end

local clock = redis.call('TIME')
local now = clock[1] .. '.' .. string.format('%06d', clock[2])
local sound, index, poison = {}, {}, {}
for at = 1, #taken, 2 do
  local position, payload = taken[at], taken[at + 1]
  local step = ARGV[6 + queues + math.floor(position / queues)]
  local record = '[' .. payload .. ',"",' .. ARGV[6 + position % queues] .. ']'
  if string.byte(payload, 1) == 123 and string.byte(payload, -1) == 125 then
    local tag = incarnation .. ':' .. step .. ':' .. sequence
    sound[#sound + 1], sound[#sound + 2] = tag, record
    index[#index + 1], index[#index + 2] = now, tag
  else
    local tag = incarnation .. ':p' .. step .. ':' .. sequence
    poison[#poison + 1], poison[#poison + 2] = tag, record
  end
  sequence = sequence + 1
end
write('HSET', KEYS[1], sound)
write('ZADD', KEYS[2], index)
write('HSET', KEYS[3], poison)
return { taken, odd }
