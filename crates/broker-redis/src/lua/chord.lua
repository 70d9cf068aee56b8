-- Shared opening of the scripts that keep chords, as Celery 5.7 does. A chord's keys begin with its group's key, celery-taskset-meta-<group id>:
-- .j members, a zset by index or a list   .t how many were added   .s size   .d who was counted   .c token of the claim, or 'done'
-- Only where the queues are on another server:   .a how many each message added, a hash   .b name of the call that ends it
--
-- Terms, five fields of ARGV: seconds that a chord waits for a member (0 for ever), seconds that a saved header is kept then (0 for ever),
-- ms that a claim lasts, seconds for which a chord is known to be over, '1' members in the header's order or '0' as they end.

local FIELDS_OF_TERMS = 5

local function read_terms(at)
  return {
    lifetime = tonumber(ARGV[at]), header = tonumber(ARGV[at + 1]), claim = ARGV[at + 2], memory = ARGV[at + 3], ordered = ARGV[at + 4] == '1',
  }
end

local function set(key, value, seconds)
  if seconds > 0 then
    redis.call('SET', key, value, 'EX', seconds)
  else
    redis.call('SET', key, value)
  end
end

local function no_number(key)
  local value = redis.pcall('GET', key)
  return value and not tonumber(type(value) == 'string' and value) and 'key ' .. key .. ' is no number'
end

local function no_such(key, kind)
  local found = redis.call('TYPE', key).ok
  return found ~= kind and found ~= 'none' and 'key ' .. key .. ' is no ' .. kind .. ' but a ' .. found
end

local chords = {}

-- Why a member cannot be counted or added, or a false value.
function chords.obstacle(terms, chord)
  return no_such(chord .. '.j', terms.ordered and 'zset' or 'list') or no_such(chord .. '.d', 'set') or no_such(chord .. '.c', 'string')
    or no_number(chord .. '.s') or no_number(chord .. '.t')
end

-- A chord that is applied again begins anew.
function chords.open(terms, chord, size, header)
  redis.call('UNLINK', chord .. '.c', chord .. '.b')
  set(chord .. '.s', size, terms.lifetime)
  if header ~= '' then
    set(chord, header, terms.lifetime)
  end
end

function chords.grow(terms, chord, members)
  redis.call('INCRBY', chord .. '.t', members)
  if terms.lifetime > 0 then
    redis.call('EXPIRE', chord .. '.t', terms.lifetime)
  end
end

-- What a message has added before, it adds no longer.
function chords.grow_by(terms, chord, members, by)
  local noted = chord .. '.a'
  local more = members - (redis.call('HGET', noted, by) or 0)
  if more ~= 0 then
    redis.call('HSET', noted, by, members)
    if terms.lifetime > 0 then
      redis.call('EXPIRE', noted, terms.lifetime)
    end
    chords.grow(terms, chord, more)
  end
end

-- Renews the token's claim, or takes one that nobody holds while the chord is open. Returns 1 or 0.
function chords.hold(terms, chord, token)
  local claim = redis.pcall('GET', chord .. '.c')
  if not claim and redis.call('EXISTS', chord .. '.s') == 1 or claim == token then
    redis.call('SET', chord .. '.c', token, 'PX', terms.claim)
    return 1
  end
  return 0
end

-- As hold, but returns the name of the call that ends the chord, the first token that came here since it was opened, or nil.
function chords.name(terms, chord, token)
  if chords.hold(terms, chord, token) == 0 then
    return nil
  end
  local named = chord .. '.b'
  local name = redis.call('GET', named) or token
  set(named, name, terms.lifetime)
  return name
end

-- Counts a member once for its name, '<task id>:<score>', in a chord that gets `added` more in the same step. Returns 'open', 'complete' (the
-- claim is the token's), 'claimed' or 'over'.
function chords.count(terms, chord, name, score, member, token, added)
  if redis.call('GET', chord .. '.c') == 'done' then
    return 'over'
  end
  if redis.call('SADD', chord .. '.d', name) == 1 then
    if terms.ordered then
      redis.call('ZADD', chord .. '.j', score, member)
    else
      redis.call('RPUSH', chord .. '.j', member)
    end
  end
  if terms.lifetime > 0 then
    for _, suffix in ipairs({ '.j', '.t', '.s', '.d' }) do
      redis.call('EXPIRE', chord .. suffix, terms.lifetime)
    end
    if terms.header > 0 then
      redis.call('EXPIRE', chord, terms.header)
    end
  end
  local size = redis.call('GET', chord .. '.s')
  local counted = redis.call(terms.ordered and 'ZCARD' or 'LLEN', chord .. '.j')
  if not size or counted < size + (redis.call('GET', chord .. '.t') or 0) + (added or 0) then
    return 'open'
  end
  return chords.hold(terms, chord, token) == 1 and 'complete' or 'claimed'
end

-- Forgets the members of a chord whose claim is the token's, unless `keep` is '1', and remembers that it is over. Returns 1 or 0.
function chords.finish(terms, chord, token, keep)
  local held = chords.hold(terms, chord, token)
  if held == 1 then
    redis.call('UNLINK', chord .. '.s', chord .. '.b')
    if keep ~= '1' then
      redis.call('UNLINK', chord .. '.j', chord .. '.t', chord .. '.d', chord .. '.a')
    end
    redis.call('SET', chord .. '.c', 'done', 'EX', terms.memory)
  end
  return held
end

