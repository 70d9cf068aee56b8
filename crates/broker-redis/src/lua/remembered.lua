-- What is remembered, oldest first.
--
-- KEYS[1] celeriac.remembered:<space>  zset, text by the end of its time in ms
-- Returns the texts.

local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
