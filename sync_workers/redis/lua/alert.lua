-- Note what is wrong now. What has been wrong for long enough begins an incident, what has been well for long
-- enough ends it; each puts one message for each receiver into the outbox. Only for the monitor that leads,
-- so that no other one's older look takes back what this one saw. Answers 1, or 0 for any other.
local lead, incidents, outbox, due = unpack(KEYS)
local owner, quiet, receivers = unpack(ARGV)
if redis.call('HGET', lead, 'owner') ~= owner then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function tell(key, one, state)
  for number = 1, tonumber(receivers) do
    local receiver = ARGV[3 + number]
    local id = string.format('%d %s %s %s', now, state, receiver, key)
    local message = {receiver = receiver, state = state, since = one.first, at = now, incident = one.body}
    redis.call('HSET', outbox, id, cjson.encode(message))
    redis.call('ZADD', due, string.format('%d', now), id)
  end
end

local seen = {}
for place = 4 + tonumber(receivers), #ARGV, 3 do
  local key, lasts, body = ARGV[place], tonumber(ARGV[place + 1]), ARGV[place + 2]
  local kept = redis.call('HGET', incidents, key)
  local one = kept and cjson.decode(kept) or {first = now, begun = false}
  seen[key] = true
  one.last, one.body = now, body
  if not one.begun and now - one.first >= lasts then
    one.begun = true
    tell(key, one, 'begun')
  end
  redis.call('HSET', incidents, key, cjson.encode(one))
end

local known = redis.call('HGETALL', incidents)
for place = 1, #known, 2 do
  local key, one = known[place], cjson.decode(known[place + 1])
  if not seen[key] and (not one.begun or now - one.last >= tonumber(quiet)) then
    redis.call('HDEL', incidents, key)
    if one.begun then
      tell(key, one, 'ended')
    end
  end
end
return 1
