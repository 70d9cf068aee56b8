-- Shared opening of the scripts that live by the clock.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Says that somebody lives, and returns until when (ms) nobody may be declared dead. When nobody has said so for a whole lease, the
-- server was down or frozen and nobody could renew: everybody gets one lease from now to come back.
-- pulse: hash with 'seen' and 'grace'   lease: ms
local function touch(pulse, lease)
  -- The server refuses a script's first write when memory is short. This one needs none, and what follows hardly any:
  -- without it every worker would count as dead on a full server.
  redis.call('HDEL', pulse, '')
  local seen, grace = unpack(redis.call('HMGET', pulse, 'seen', 'grace'))
  if not seen or now - tonumber(seen) > lease then
    grace = now + lease
    redis.call('HSET', pulse, 'grace', grace)
  end
  redis.call('HSET', pulse, 'seen', now)
  return tonumber(grace)
end

