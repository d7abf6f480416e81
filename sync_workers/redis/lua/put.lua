-- Store something large under the lease. Answers 1, or 0 when the lease has gone.
local lease, key = unpack(KEYS)
local owner, body, ttl = unpack(ARGV)
if redis.call('GET', lease) ~= owner then
  return 0
end
if ttl == '' then
  redis.call('SET', key, body)
else
  redis.call('SET', key, body, 'PX', ttl)
end
return 1
