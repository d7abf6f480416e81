-- A chunk of a hash like HSCAN's, with only the first bytes of each value; given are cursor, count and bytes.
local links = KEYS[1]
local cursor, count, bytes = unpack(ARGV)
local found = redis.call('HSCAN', links, cursor, 'COUNT', count)
for place = 2, #found[2], 2 do
  found[2][place] = string.sub(found[2][place], 1, tonumber(bytes))
end
return found
