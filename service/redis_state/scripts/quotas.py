"""Scripts of the limits of API keys and of the queue. Times are unix seconds."""

from __future__ import annotations

RATE = """
local window, limit = 60, tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
if full_at > now + window + 1 then full_at = now end -- noted before the clock was set back
local wait = full_at + window / limit - window - now
if wait > 0.000001 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', full_at + window / limit), 'EX', window + 1)
return '0'
"""
"""Counts a submission by the generic cell rate algorithm: as many at once as one minute allows, then evenly spaced.

The clock is that of Redis, because several gateways count together. Returns the seconds to wait, '0' for a
submission that is let in; a refused one does not count.
"""

RESERVE = """
local active, used, held = unpack(KEYS)
local token, lease, bytes, jobs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local most_jobs, most_bytes, most_held = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local others = redis.call('HGETALL', held)
local held_bytes, held_jobs, count, first = 0, 0, 0, nil
for i = 1, #others, 2 do
    local until_, its_bytes, its_jobs = string.match(others[i + 1], '^(%S+) (%S+) (%S+)$')
    if tonumber(until_) < now then
        redis.call('HDEL', held, others[i])
    elseif others[i] ~= token then
        held_bytes, held_jobs = held_bytes + tonumber(its_bytes), held_jobs + tonumber(its_jobs)
        count = count + 1
        first = math.min(first or math.huge, tonumber(until_) - now)
    end
end
if most_jobs and jobs > 0 and redis.call('ZCARD', active) + held_jobs + jobs > most_jobs then
    return 'jobs ' .. (held_jobs > 0 and first or '')
end
local stored = tonumber(redis.call('GET', used) or 0)
if most_bytes and bytes > 0 and stored + held_bytes + bytes > most_bytes then
    return 'bytes ' .. (held_bytes > 0 and first or '')
end
if most_held and count >= most_held then return 'held ' .. (first or '') end
redis.call('HSET', held, token, string.format('%.3f', now + lease) .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
return 'ok '
"""
"""Reserves bytes and jobs under a token for some seconds, in place of what it held, by the clock of Redis.

Returns 'ok ', or the limit that is in the way, 'jobs ', 'bytes ' or 'held ' (the number of other reservations), and
after it the seconds until the first of the reservations of others lapses, if there are any. A limit of '' is none.
``held`` is described in ``key_names.Account``.
"""

RENEW = """
local clock = redis.call('TIME')
for _, held in ipairs(KEYS) do
    local rest = string.match(redis.call('HGET', held, ARGV[1]) or '', '^%S+ (%S+ %S+)$')
    if rest then
        redis.call('HSET', held, ARGV[1], string.format('%.3f', clock[1] + clock[2] / 1000000 + ARGV[2]) .. ' ' .. rest)
    end
end
return 1
"""
"""Prolongs what is reserved under a token, where it is still there."""
