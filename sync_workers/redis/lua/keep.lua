-- Keep a refused plan under the lease, and forget those that are too many. Answers 1, or 0 when the lease has gone.
-- ARGV from the sixth on: names of plans that are forgotten; their own keys end by themselves.
local lease, plans, key = unpack(KEYS)
local owner, name, about, body, ttl = unpack(ARGV, 1, 5)
if redis.call('GET', lease) ~= owner then
  return 0
end
for place = 6, #ARGV do
  redis.call('HDEL', plans, ARGV[place])
end
redis.call('SET', key, body, 'PX', ttl)
redis.call('HSET', plans, name, about)
redis.call('PEXPIRE', plans, ttl)
return 1
