-- Binds a temporary queue, as kombu 5.7 does.
--
-- KEYS[1] _kombu.binding.<exchange>  set   KEYS[2] _kombu.binding_deadlines  zset, exchange by ms
-- ARGV[1] member   ARGV[2] exchange   ARGV[3] how long the table may stay, in ms
-- Returns 1.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[2], 'GT', now + tonumber(ARGV[3]), ARGV[2])
return 1
