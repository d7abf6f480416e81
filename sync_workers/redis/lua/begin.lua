-- Take the lease of a task for one attempt of one phase.
-- Answers {'taken', fence, full, pause} | {'held', by, following} | {'paused', pause} | {'superseded'} | {'finished'};
-- a pause is its by, reason and since, empty when the task is not paused.
-- `full` says how far the run reaches: 1 compares everything anew, 0 is an ordinary run, -1 only looks at records.
local lease, fence, current, following, runs, reports, joined, counters, paused, totals = unpack(KEYS)
local run, trigger, first, full, ttl, total, held, most, asked, connection = unpack(ARGV)

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local owner = redis.call('GET', lease)
local holder = owner and string.match(owner, '^(.*):%d+$')
local pause = redis.call('HMGET', paused, 'by', 'reason', 'since')

-- A new number for each attempt: what older attempts of the same run still write is refused.
local function grant()
  local number = redis.call('INCR', fence)
  redis.call('SET', lease, run .. ':' .. number, 'PX', ttl)
  return {'taken', number, redis.call('HGET', current, 'full'), pause[1] or '', pause[2] or '', pause[3] or ''}
end

-- `one` will never end by itself; whoever waits for it gets the result of `another`.
local function join(one, another)
  redis.call('HSET', joined, one, another)
  redis.call('ZADD', runs, 'NX', now, one)
end

-- The run goes on: its next phase, or the same phase delivered once more.
if redis.call('HGET', current, 'run') == run then
  return grant()
end

-- Another run has begun since, or this one has ended or was joined to another.
if first == '0' or redis.call('ZSCORE', runs, run) then
  return {'superseded'}
end

-- The task is paused, or a connection of it. After a failure of a service a person may still try, and an import
-- writes to no service: a pause is the best time for it.
if connection == '1' or (pause[1] == 'person' and trigger ~= 'import') or (pause[1] and asked == '0') then
  if asked == '0' then
    redis.call('HINCRBY', counters, 'paused', 1)
  end
  return {'paused', pause[1] or '', pause[2] or '', pause[3] or ''}
end

-- Another run works. A tick of beat is dropped; a request becomes the one run that follows.
if holder then
  if held == 'drop' then
    redis.call('HINCRBY', counters, 'dropped', 1)
  end
  if held ~= 'follow' then
    return {'held', holder, ''}
  end
  local next_run = redis.call('HGET', following, 'run')
  if not next_run then
    next_run = run
    redis.call('HSET', following, 'run', run, 'full', full, 'trigger', trigger)
    redis.call('HSET', following, 'asked', string.format('%d', now))
    redis.call('HINCRBY', totals, 'lease_waits|', 1)
  elseif next_run ~= run then
    join(run, next_run)
    redis.call('HINCRBY', totals, 'lease_waits|', 1)
    if tonumber(full) > tonumber(redis.call('HGET', following, 'full') or '0') then
      redis.call('HSET', following, 'full', full)
    end
    if asked == '1' then
      redis.call('HSET', following, 'trigger', trigger)
    end
  end
  return {'held', holder, next_run}
end

-- The task has run as often as it should.
if total ~= '' then
  if tonumber(redis.call('HGET', counters, 'scheduled') or '0') >= tonumber(total) then
    return {'finished'}
  end
  redis.call('HINCRBY', counters, 'scheduled', 1)
end

-- The run begins, and does the work of those that asked before and of one that died on its way.
local waiting = redis.call('HMGET', following, 'run', 'full', 'asked')
if waiting[3] then
  redis.call('HINCRBYFLOAT', totals, 'lease_wait_seconds|', (now - waiting[3]) / 1000)
end
if waiting[1] and waiting[1] ~= run then
  join(waiting[1], run)
end
local dead = redis.call('HMGET', current, 'run', 'full')
if dead[1] then
  join(dead[1], run)
end
for _, reach in ipairs({waiting[2] or full, dead[2] or full}) do
  if tonumber(reach) > tonumber(full) then
    full = reach
  end
end
redis.call('DEL', following, current)
redis.call('HSET', current, 'run', run, 'trigger', trigger, 'full', full, 'begun', string.format('%d', now))
redis.call('ZADD', runs, now, run)

-- Only the last runs are kept.
for _, old in ipairs(redis.call('ZRANGE', runs, 0, -1 - most)) do
  redis.call('ZREM', runs, old)
  redis.call('HDEL', reports, old)
  redis.call('HDEL', joined, old)
end
return grant()
