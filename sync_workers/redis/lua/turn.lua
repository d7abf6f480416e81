-- Ask for the turn of one call. Answers {'go'} | {'wait', milliseconds, why} | {'group'}: a group of accounts is
-- paused, and it has to be known whether this one belongs to it.
-- Who waits keeps its place in the queue, also while it is away, until it comes too late. A free place in the window
-- is not given to those behind one that is expected for it.
local used, queue, due, numbers, pauses, groups, writes = unpack(KEYS)
local account, limit, kept, longest, turn, asker, urgent, place, lease, grace, knows = unpack(ARGV)
limit, kept, longest, lease, grace = tonumber(limit), tonumber(kept), tonumber(longest), tonumber(lease), tonumber(grace)

-- So many calls of runs that a person asked for come before one of another run that waits.
local MOST = 9
-- Numbers of the queue: those of other runs lie behind all that a person asked for.
local BEHIND = 1e12

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- Asked twice, since the answer was lost.
if redis.call('ZSCORE', used, turn) then
  return {'go'}
end

-- What a pause of this account or of its group leaves.
local rest = 0
local function look(scope)
  local left = tonumber(redis.call('HGET', pauses, scope) or '0') - now
  if left > rest then
    rest = left
  end
end
look(account)
local group = redis.call('HGET', groups, account)
if knows == '0' then
  local wanted = group == '?'
  if not group then
    local all = redis.call('HGETALL', pauses)
    for number = 1, #all, 2 do
      if string.sub(all[number], 1, 6) == 'group:' and tonumber(all[number + 1]) > now then
        wanted = true
      end
    end
  end
  if wanted then
    return {'group'}
  end
end
if group and group ~= '' and group ~= '?' then
  look('group:' .. group)
end

-- Who waits: those that came too late have lost their place.
for _, late in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now)) do
  redis.call('ZREM', due, late)
  redis.call('ZREM', queue, late)
end
if not redis.call('ZSCORE', queue, asker) then
  local number = redis.call('HINCRBY', numbers, 'last', 1)
  redis.call('ZADD', queue, (urgent == '1' and 0 or BEHIND) + number, asker)
end
for _, key in ipairs({queue, due, numbers}) do
  redis.call('PEXPIRE', key, 86400000)
end

local function wait(milliseconds, why)
  redis.call('ZADD', due, now + milliseconds + grace, asker)
  return {'wait', milliseconds, why}
end

if rest > 0 then
  return wait(rest, 'pause')
end

-- How many come before: the urgent ones, but for one of the others after so many of them.
local all, first = redis.call('ZCARD', queue), redis.call('ZCOUNT', queue, '-inf', '(' .. BEHIND)
local rank, streak = redis.call('ZRANK', queue, asker), tonumber(redis.call('HGET', numbers, 'streak') or '0')
local before
if rank < first then
  before = rank + math.min(all - first, math.floor((streak + rank) / MOST))
else
  local mine = rank - first
  before = mine + math.min(first, math.max(0, MOST * (mine + 1) - streak))
end

-- Whether there is a place in the window; else when there will be.
redis.call('ZREMRANGEBYSCORE', used, '-inf', now)
local taken = redis.call('ZCARD', used)
local ahead = before - (limit - taken)
if ahead >= 0 and taken > 0 then
  local rounds = math.floor(ahead / taken)
  local free = redis.call('ZRANGE', used, ahead % taken, ahead % taken, 'WITHSCORES')
  -- Of a call that is under way only the longest is known, and it will not take so long.
  local at = math.min(tonumber(free[2]), now + kept) + rounds * kept
  return wait(math.max(1, math.ceil(at - now)), 'limit')
elseif ahead >= 0 then
  return wait(kept, 'limit')
end

-- Writes to one place, one after the other, and in turns.
if place ~= '' then
  local last = redis.call('HGET', writes, place)
  local holder, till = string.match(last or '', '^(%S+) (%d+)$')
  local asked = redis.call('HGET', writes, 'next ' .. place)
  local following, seen = string.match(asked or '', '^(%S+) (%d+)$')
  local other = following and following ~= asker and tonumber(seen) + 500 > now
  if (holder and tonumber(till) > now) or other then
    if not other then
      redis.call('HSET', writes, 'next ' .. place, asker .. ' ' .. string.format('%d', now))
    end
    return wait(25, 'write')
  end
  if following == asker then
    redis.call('HDEL', writes, 'next ' .. place)
  end
  redis.call('HSET', writes, place, turn .. ' ' .. string.format('%d', now + lease))
  redis.call('PEXPIRE', writes, 86400000)
end

redis.call('ZREM', queue, asker)
redis.call('ZREM', due, asker)
if rank < first then
  redis.call('HSET', numbers, 'streak', all > first and math.min(streak + 1, MOST) or 0)
else
  redis.call('HSET', numbers, 'streak', 0)
end
redis.call('ZADD', used, now + longest + kept, turn)
redis.call('PEXPIRE', used, longest + kept)
return {'go'}
