-- Takes a message out of what is parked, and puts it at the back of a list if one is named.
--
-- KEYS[1] celeriac.parked  hash   KEYS[2] celeriac.parked_index  zset
-- ARGV[1] id   ARGV[2] the list, ARGV[3] the message; both or neither
-- Returns 1, or 0 when nothing of this id is parked.

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
if ARGV[2] then
  redis.call('LPUSH', ARGV[2], ARGV[3])
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
