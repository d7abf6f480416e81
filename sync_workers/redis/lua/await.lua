-- A webhook event wants something of a task: it waits until nothing more was heard of it for a while, but not
-- for ever. Answers {1 or 0 for an event that came before, ms until the first of all is due, what was waiting already}.
-- ARGV from the fifth on: what it wants.
local waiting, since, events = unpack(KEYS)
local event, quiet, longest, kept = unpack(ARGV, 1, 4)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('ZREMRANGEBYSCORE', events, '-inf', now - kept)
local new, joined = 0, 0
if not redis.call('ZSCORE', events, event) then
  new = 1
  for place = 5, #ARGV do
    local first = redis.call('HGET', since, ARGV[place])
    if first and tonumber(first) then
      joined = joined + 1
    else
      -- Not there, or already on its way into a run, which may read the record before this event's edit.
      first = now
      redis.call('HSET', since, ARGV[place], string.format('%d', now))
    end
    redis.call('ZADD', waiting, math.min(now + quiet, first + longest), ARGV[place])
  end
  redis.call('ZADD', events, now, event)
  redis.call('PEXPIRE', events, kept)
end
local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
return {new, first[2] and math.max(first[2] - now, 0) or -1, joined}
