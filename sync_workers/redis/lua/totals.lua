-- All that is counted of one task, in one step. Answers a flat list of names and numbers or texts.
local totals, counters, lease, current, following, paused, held, quarantine, plans, links, history, webhook = unpack(KEYS)
local found = {}
local function add(name, value)
  if value then
    table.insert(found, name)
    table.insert(found, value)
  end
end
for _, key in ipairs({totals, counters}) do
  local known = redis.call('HGETALL', key)
  for place = 1, #known, 2 do
    add((key == counters and 'counter|' or '') .. known[place], known[place + 1])
  end
end
if redis.call('EXISTS', lease) == 1 then
  add('begun', redis.call('HGET', current, 'begun'))
end
add('following', redis.call('EXISTS', following))
add('paused', redis.call('HGET', paused, 'by'))
add('held', redis.call('HLEN', held))
add('quarantined', redis.call('HLEN', quarantine))
add('plans', redis.call('HLEN', plans))
add('links', redis.call('HLEN', links))
add('history', redis.call('XLEN', history))
add('webhook', redis.call('ZCARD', webhook))
local time = redis.call('TIME')
add('now', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000)))
return found
