-- Keep what a side showed under the lease, and take away at once what went into it. Answers 1, or 0 when the lease
-- has gone. Without a body the mirror stays as it is. ARGV from the fourth on: ids of records that were seen, as
-- many as the third says; then looks, id and word, each taken away unless it was added again since.
local lease, mirror, shown, looks = unpack(KEYS)
local owner, body, seen = unpack(ARGV, 1, 3)
if redis.call('GET', lease) ~= owner then
  return 0
end
local first = 4 + tonumber(seen)
for place = 4, first - 1 do
  redis.call('HDEL', shown, ARGV[place])
end
for place = first, #ARGV, 2 do
  if redis.call('HGET', looks, ARGV[place]) == ARGV[place + 1] then
    redis.call('HDEL', looks, ARGV[place])
  end
end
if body ~= '' then
  redis.call('SET', mirror, body)
end
return 1
