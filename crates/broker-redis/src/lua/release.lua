-- Deletes a key if it still has the caller's value.
--
-- KEYS[1] the key   ARGV[1] the value
-- Returns 1 when it was deleted, else 0.

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
