-- Pause an account, or a group of them, for so long; a pause that lasts longer stands.
local pauses = KEYS[1]
local scope, wait = unpack(ARGV)
local time = redis.call('TIME')
local till = time[1] * 1000 + math.floor(time[2] / 1000) + wait
if till > tonumber(redis.call('HGET', pauses, scope) or '0') then
  redis.call('HSET', pauses, scope, string.format('%d', till))
end
-- The last one ends them all, a day later.
redis.call('PEXPIRE', pauses, math.max(redis.call('PTTL', pauses), wait + 86400000))
return 1
