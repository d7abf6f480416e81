-- End a run: its report is stored, what it left lying is removed, the lease is free.
-- Answers {'ended', following run or '', its full flag} or {'lost'}.
-- The request for a following run stays until that run begins, so that it outlives whoever asked here.
local lease, current, following, reports, counters = unpack(KEYS)
local owner, run, report, outcome = unpack(ARGV)

if not redis.call('HGET', reports, run) then
  if redis.call('GET', lease) ~= owner then
    return {'lost'}
  end
  -- Removing comes first: a Redis that is full lets a script go on that began with it, so a run can end there.
  redis.call('DEL', lease, current)
  for number = 6, #KEYS do
    redis.call('DEL', KEYS[number])
  end
  redis.call('HSET', reports, run, report)
  redis.call('HINCRBY', counters, outcome, 1)
end
local waiting = redis.call('HMGET', following, 'run', 'full')
return {'ended', waiting[1] or '', waiting[2] or '0'}
