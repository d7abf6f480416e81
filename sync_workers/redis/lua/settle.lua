-- What was claimed is in a run's hands and waits no more, unless another event came for it meanwhile.
-- Answers how much of it was taken away. ARGV from the second on: what was claimed.
local waiting, since = unpack(KEYS)
local taken = 0
for place = 2, #ARGV do
  if redis.call('HGET', since, ARGV[place]) == 'claimed:' .. ARGV[1] then
    redis.call('HDEL', since, ARGV[place])
    redis.call('ZREM', waiting, ARGV[place])
    taken = taken + 1
  end
end
return taken
