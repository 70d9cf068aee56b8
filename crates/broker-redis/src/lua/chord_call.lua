-- One call on one chord.
--
-- ARGV[1..5] terms   ARGV[6] 'open', 'grow_by', 'count', 'name' or 'finish'   ARGV[7] the chord: its group's key
-- ARGV[8..] size, header ('' for none) | members, by | name, score, member, token | token | token
-- Returns what the call does, nil for open and grow_by, or {why nothing was done}.

local terms, verb, chord = read_terms(1), ARGV[6], ARGV[7]
local reason = (verb == 'count' or verb == 'grow_by') and chords.obstacle(terms, chord)
if reason then
  return { reason }
end
return chords[verb](terms, chord, ARGV[8], ARGV[9], ARGV[10], ARGV[11])
