-- Take away looks that a run has used, unless they were added again since. Answers 1.
local looks = KEYS[1]
for place = 1, #ARGV, 2 do
  if redis.call('HGET', looks, ARGV[place]) == ARGV[place + 1] then
    redis.call('HDEL', looks, ARGV[place])
  end
end
return 1
