-- Take the messages whose turn it is: they come up again, unless they are delivered, after as long as they
-- have waited so far. Answers a flat list of ids and messages.
local outbox, due = unpack(KEYS)
local least, most, number = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', string.format('%d', now), 'LIMIT', 0, number)) do
  local waited = now - tonumber(string.match(id, '^%d+'))
  local wait = math.min(math.max(waited, tonumber(least)), tonumber(most))
  redis.call('ZADD', due, string.format('%d', now + wait), id)
  local message = redis.call('HGET', outbox, id)
  if message then
    table.insert(found, id)
    table.insert(found, message)
  else
    redis.call('ZREM', due, id)
  end
end
return found
