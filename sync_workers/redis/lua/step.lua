-- One step of a run: an operation begins or ends in the journal, and the state changes with it.
-- Answers 'stored', 'begun' (by an earlier attempt; nothing was stored), 'lost' or 'version'.
-- ARGV from the eighth on: number of the key, field, value ('' removes the field), and so on.
local lease, meta, journal = KEYS[1], KEYS[2], KEYS[3]
local owner, version, step, operation, attempt, ttl, setup = unpack(ARGV, 1, 7)

if redis.call('GET', lease) ~= owner then
  return 'lost'
end
local stored = redis.call('HGET', meta, 'version')
if stored and stored ~= version then
  return 'version'
end

if step == 'begin' then
  local before = redis.call('HGET', journal, operation)
  -- The same attempt twice is one call whose answer was lost on the way.
  if before and before ~= attempt then
    return 'begun'
  end
  redis.call('HSET', journal, operation, attempt)
elseif step == 'end' then
  redis.call('HSET', journal, operation, 'ended')
end
if step ~= '' then
  redis.call('PEXPIRE', journal, ttl)
end

redis.call('HSET', meta, 'version', version)
if setup ~= '' then
  redis.call('HSET', meta, 'setup', setup)
end
for place = 8, #ARGV, 3 do
  local key = KEYS[tonumber(ARGV[place])]
  if ARGV[place + 2] == '' then
    redis.call('HDEL', key, ARGV[place + 1])
  else
    redis.call('HSET', key, ARGV[place + 1], ARGV[place + 2])
  end
end
return 'stored'
