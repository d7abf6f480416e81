-- A webhook's handshake offers its token: taken while a person waits for one, and only the first. Answers 1 or 0.
local window = KEYS[1]
local token = ARGV[1]
local there = redis.call('GET', window)
if there == '' then
  redis.call('SET', window, token, 'PX', redis.call('PTTL', window))
  return 1
end
return there == token and 1 or 0
