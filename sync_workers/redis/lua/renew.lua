-- Keep the lease for another while; only the attempt that owns it can. Answers 1, or 0 when it has gone.
local lease = KEYS[1]
local owner, ttl = unpack(ARGV)
if redis.call('GET', lease) ~= owner then
  return 0
end
return redis.call('PEXPIRE', lease, ttl)
