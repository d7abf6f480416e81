-- A run was asked for and met a pause: its report says so, for whoever waits, and it will not begin. Answers 1.
local reports, runs, following, counters = unpack(KEYS)
local run, report = unpack(ARGV)

if redis.call('HGET', following, 'run') == run then
  redis.call('DEL', following)
end
if not redis.call('HGET', reports, run) then
  local time = redis.call('TIME')
  redis.call('HSET', reports, run, report)
  redis.call('ZADD', runs, time[1] * 1000 + math.floor(time[2] / 1000), run)
  redis.call('HINCRBY', counters, 'paused', 1)
end
return 1
