-- Note that a process lives, and forget those that were not heard of for long.
local told, seen = unpack(KEYS)
local name, body, kept = unpack(ARGV)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', told, name, body)
redis.call('ZADD', seen, string.format('%d', now), name)
local gone = redis.call('ZRANGEBYSCORE', seen, '-inf', string.format('%d', now - kept))
for _, each in ipairs(gone) do
  redis.call('HDEL', told, each)
  redis.call('ZREM', seen, each)
end
return 1
