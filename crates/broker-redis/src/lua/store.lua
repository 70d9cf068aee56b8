-- Stores metas; a SUCCESS is never overwritten.
--
-- ARGV: key, value, ttl, known for each meta (see `store`)
-- Returns for each 'written', 'kept' or 'compressed'.

local answers = {}
for at = 1, #ARGV, 4 do
  answers[#answers + 1] = store(ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3])
end
return answers
