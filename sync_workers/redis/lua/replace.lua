-- Put staged hashes in the place of the real ones, all at once. Answers 1, or 0 when the lease has gone.
-- KEYS from the second on: real key, staged key, and so on; without a staged hash the real one is removed.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
for place = 2, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[place + 1]) == 1 then
    redis.call('RENAME', KEYS[place + 1], KEYS[place])
    redis.call('PERSIST', KEYS[place])
  else
    redis.call('DEL', KEYS[place])
  end
end
return 1
