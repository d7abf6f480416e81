-- One step of a run: an operation begins, ends, or is taken back in the journal, and state and history change with it.
-- Answers 'stored', 'begun' (by an earlier attempt; nothing was stored), 'lost' or 'version'.
-- ARGV from the eleventh on: number of the key, field, value ('' removes the field), and so on; behind
-- a minus the field is removed if it still has that value.
local lease, meta, journal, intents, history = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local owner, version, step, operation, attempt, ttl, setup, intent, entry, most = unpack(ARGV, 1, 10)

if redis.call('GET', lease) ~= owner then
  return 'lost'
end
local stored = redis.call('HGET', meta, 'version')
if stored and stored ~= version then
  return 'version'
end

local news = false
if step == 'begin' then
  local before = redis.call('HGET', journal, operation)
  -- The same attempt twice is one call whose answer was lost on the way.
  if before and before ~= attempt then
    return 'begun'
  end
  redis.call('HSET', journal, operation, attempt)
  if entry ~= '' then
    redis.call('HSET', intents, intent, entry)
  end
elseif step == 'end' then
  local before = redis.call('HGET', journal, operation)
  news = before ~= 'done'
  -- One that was done stays so, whatever a copy of an older call says.
  redis.call('HSET', journal, operation, (entry ~= '' or not news) and 'done' or 'ended')
  redis.call('HDEL', intents, intent)
elseif step == 'take back' then
  -- Nothing was sent. A copy of an older call takes nothing back that has come to its end since.
  local before = redis.call('HGET', journal, operation)
  if before ~= 'done' and before ~= 'ended' then
    redis.call('HDEL', journal, operation)
    redis.call('HDEL', intents, intent)
  end
elseif entry ~= '' then
  news = redis.call('HDEL', intents, intent) == 1
end
if step ~= '' then
  redis.call('PEXPIRE', journal, ttl)
end
if news and entry ~= '' then
  redis.call('XADD', history, 'MAXLEN', '~', most, '*', 'entry', entry)
end

redis.call('HSET', meta, 'version', version)
if setup ~= '' then
  redis.call('HSET', meta, 'setup', setup)
end
for place = 11, #ARGV, 3 do
  local key = KEYS[math.abs(tonumber(ARGV[place]))]
  if string.sub(ARGV[place], 1, 1) == '-' then
    if redis.call('HGET', key, ARGV[place + 1]) == ARGV[place + 2] then
      redis.call('HDEL', key, ARGV[place + 1])
    end
  elseif ARGV[place + 2] == '' then
    redis.call('HDEL', key, ARGV[place + 1])
  else
    redis.call('HSET', key, ARGV[place + 1], ARGV[place + 2])
  end
end
return 'stored'
