-- Take or keep the right to tick, which one beat has at a time. Answers {1 or 0, name, since} of whoever has it.
local key = KEYS[1]
local owner, name, ttl = unpack(ARGV)
local has = redis.call('HGET', key, 'owner')
if not has then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', key, 'owner', owner, 'name', name, 'since', string.format('%d', now))
elseif has ~= owner then
  local other = redis.call('HMGET', key, 'name', 'since')
  return {0, other[1], other[2]}
end
redis.call('PEXPIRE', key, ttl)
return {1, name, redis.call('HGET', key, 'since')}
