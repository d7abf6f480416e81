-- Give the right to tick back, if it is still ours. Answers 1 if it was.
local key = KEYS[1]
local owner = ARGV[1]
if redis.call('HGET', key, 'owner') == owner then
  return redis.call('DEL', key)
end
return 0
