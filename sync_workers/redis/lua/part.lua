-- Keep one more part of a listing under the lease, in its place. Answers 1, or 0 when the lease has gone.
local lease, parts = unpack(KEYS)
local owner, place, body, ttl = unpack(ARGV)
if redis.call('GET', lease) ~= owner then
  return 0
end
-- The same part twice is one call whose answer was lost on the way.
if redis.call('LLEN', parts) == tonumber(place) then
  redis.call('RPUSH', parts, body)
end
redis.call('PEXPIRE', parts, ttl)
return 1
