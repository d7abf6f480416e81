-- End a run: its report is stored, what it left lying is removed, the lease is free.
-- Answers {'ended', following run or '', its full flag} or {'lost'}.
-- The request for a following run stays until that run begins, so that it outlives whoever asked here.
local lease, current, following, reports, counters, history = unpack(KEYS)
local owner, run, report, outcome, age = unpack(ARGV)

if not redis.call('HGET', reports, run) then
  if redis.call('GET', lease) ~= owner then
    return {'lost'}
  end
  -- Removing comes first: a Redis that is full lets a script go on that began with it, so a run can end there.
  redis.call('DEL', lease, current)
  for number = 7, #KEYS do
    redis.call('DEL', KEYS[number])
  end
  local time = redis.call('TIME')
  local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - age
  redis.call('XTRIM', history, 'MINID', '~', string.format('%d', math.max(oldest, 0)))
  redis.call('HSET', reports, run, report)
  redis.call('HINCRBY', counters, outcome, 1)
end
local waiting = redis.call('HMGET', following, 'run', 'full')
return {'ended', waiting[1] or '', waiting[2] or '0'}
