-- Shared opening of the scripts that store results.

-- What a stored meta says: 'success', 'other', or 'compressed' when only a decoder outside can tell.
local function verdict(value)
  if string.sub(value, 1, 1) == '{' then
    local status = string.match(value, '^{%s*"status"%s*:%s*"([^"]*)"')
    if not status then
      local ok, meta = pcall(cjson.decode, value)
      status = ok and type(meta) == 'table' and meta.status
    end
    return status == 'SUCCESS' and 'success' or 'other'
  end
  if string.sub(value, 1, 1) == '\0' then
    return 'compressed'
  end
  if string.byte(value, 1) and string.byte(value, 1) >= 0x80 then
    local ok, meta = pcall(cmsgpack.unpack, value)
    return ok and type(meta) == 'table' and meta.status == 'SUCCESS' and 'success' or 'other'
  end
  local yaml = string.find('\n' .. value, '\nstatus: SUCCESS', 1, true)
  return yaml and 'success' or 'other'
end

-- Whether `store` would do nothing and want the caller to look.
local function is_unreadable(key, known)
  local stored = redis.pcall('GET', key)
  return type(stored) == 'string' and stored ~= known and verdict(stored) == 'compressed'
end

-- Writes a meta and tells those who wait, unless a SUCCESS is there already.
-- ttl: seconds as text, '0' keeps it for ever. known: the stored bytes that the caller has decoded and found to be no SUCCESS, or ''.
-- Returns 'written', 'kept' (a SUCCESS is there) or 'compressed' (nothing done; the caller must look and come again).
local function store(key, value, ttl, known)
  local forever = ttl == '0'
  local new = forever and redis.call('SET', key, value, 'NX') or not forever and redis.call('SET', key, value, 'NX', 'EX', ttl)
  if not new then
    -- What is no text is no result; it is replaced, for an error here would spoil the settlements around this one.
    local stored = redis.pcall('GET', key)
    local found = (type(stored) == 'table' or stored == known) and 'other' or verdict(stored)
    if found == 'success' then
      return 'kept'
    elseif found == 'compressed' then
      return found
    end
    if forever then
      redis.call('SET', key, value)
    else
      redis.call('SET', key, value, 'EX', ttl)
    end
  end
  redis.call('PUBLISH', key, value)
  return 'written'
end

