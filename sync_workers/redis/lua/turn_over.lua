-- The answer to a call has come: its place in the window is free a whole window from now.
local used, writes, calls = unpack(KEYS)
local turn, kept, longest, place, account = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HINCRBY', calls, account, 1)
if redis.call('ZSCORE', used, turn) then
  redis.call('ZADD', used, now + kept, turn)
  redis.call('PEXPIRE', used, longest + kept)
end
local last = place ~= '' and redis.call('HGET', writes, place)
if last and string.match(last, '^(%S+) ') == turn then
  redis.call('HDEL', writes, place)
end
return 1
