-- Claim a tick of beat, so that two beats make one. Answers 1 for whoever claims it first, else 0.
local tick = KEYS[1]
local by, apart, sent = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local last = redis.call('HMGET', tick, 'at', 'by')
-- The same claim twice is one whose answer was lost on the way.
if last[2] == by then
  return 1
end
-- One that lies ahead is of before the clock was set back, or of a Redis whose place this one has taken.
if last[1] and now >= tonumber(last[1]) and now - last[1] < tonumber(apart) then
  return 0
end
redis.call('HSET', tick, 'at', string.format('%d', now), 'by', by, 'sent', sent)
return 1
