-- Claim what is due of what waits, so that of several receivers one fires it. Answers {ms until the next is due, or
-- -1, and what was claimed}. What is not settled in time comes up again: its receiver died, or Redis' answer was lost.
local waiting, since = unpack(KEYS)
local by, hold, most = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local due = redis.call('ZRANGEBYSCORE', waiting, '-inf', now, 'LIMIT', 0, most)
local first = redis.call('ZRANGE', waiting, #due, #due, 'WITHSCORES')
for _, one in ipairs(due) do
  redis.call('ZADD', waiting, now + hold, one)
  redis.call('HSET', since, one, 'claimed:' .. by)
end
table.insert(due, 1, first[2] and math.max(first[2] - now, 0) or -1)
return due
