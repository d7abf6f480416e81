-- End a run: its report is stored, what it left lying is removed, the lease is free. A run that met a failure
-- which only a person can mend pauses the task; one that could read both sides ends such a pause.
-- Answers {'ended', following run or '', its full flag, whether this run began a pause, what asked for that run},
-- or {'lost'}.
-- The request for a following run stays until that run begins, so that it outlives whoever asked here.
local lease, current, following, reports, counters, history, paused, totals = unpack(KEYS)
local owner, run, report, outcome, age, blocked, works, succeeded = unpack(ARGV)

if not redis.call('HGET', reports, run) then
  if redis.call('GET', lease) ~= owner then
    return {'lost'}
  end
  -- Removing comes first: a Redis that is full lets a script go on that began with it, so a run can end there.
  redis.call('DEL', lease, current)
  for number = 9, #KEYS do
    redis.call('DEL', KEYS[number])
  end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local oldest = now - age
  redis.call('XTRIM', history, 'MINID', '~', string.format('%d', math.max(oldest, 0)))
  redis.call('HSET', reports, run, report)
  redis.call('HINCRBY', counters, outcome, 1)
  for place = 9, #ARGV, 2 do
    redis.call('HINCRBYFLOAT', totals, ARGV[place], ARGV[place + 1])
  end
  redis.call('HSET', totals, 'last_run', string.format('%d', now))
  if succeeded == '1' then
    redis.call('HSET', totals, 'last_success', string.format('%d', now))
  end
  -- What a person paused stays as it is.
  local by = redis.call('HGET', paused, 'by')
  if blocked ~= '' and by == 'service' then
    redis.call('HSET', paused, 'reason', blocked)
  elseif blocked ~= '' and not by then
    redis.call('HSET', paused, 'by', 'service', 'reason', blocked, 'since', string.format('%d', now), 'run', run)
  elseif blocked == '' and works == '1' and by == 'service' then
    redis.call('DEL', paused)
  end
end
local waiting = redis.call('HMGET', following, 'run', 'full', 'trigger')
local began = redis.call('HGET', paused, 'run') == run
return {'ended', waiting[1] or '', waiting[2] or '0', began and '1' or '0', waiting[3] or 'ad-hoc'}
