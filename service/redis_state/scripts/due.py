"""Scripts of sorted sets whose scores are the unix times at which members are due: ``KEYS[1]`` is the set.

Each takes a member away before it adds it: so it works, too, when Redis has no memory left (``jobs``).
"""

from __future__ import annotations

from service.redis_state.key_names import JobKeys

ADD = """
redis.call('ZREM', KEYS[1], ARGV[1])
return redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
"""
"""Makes a member due."""

CLAIM = """
local now, leased_until = ARGV[1], ARGV[2]
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1)
if #found == 0 then return false end
redis.call('ZREM', KEYS[1], found[1])
redis.call('ZADD', KEYS[1], leased_until, found[1])
return found[1]
"""
"""Leases the member that has been due longest and returns it; returns nil if none is due."""

CLAIM_OF_OTHERS = f"""
local now, leased_until, address = ARGV[1], ARGV[2], ARGV[3]
local busy, page, first = {{}}, 100, 0
for i = 4, #ARGV do busy[ARGV[i]] = true end
local function owner_of(member)
    local record = string.format('{JobKeys("%s").record}', string.match(member, '^%S+'))
    local tenant = redis.call('HGET', record, 'tenant') or ''
    local url = address ~= '' and redis.call('HGET', record, address) or ''
    return tenant, tenant .. ' ' .. string.lower(string.match(url, '://([^/?#]*)') or '')
end
repeat
    local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', first, page)
    for _, member in ipairs(found) do
        local tenant, server = owner_of(member)
        if not busy[tenant] and not busy[server] then
            redis.call('ZREM', KEYS[1], member)
            redis.call('ZADD', KEYS[1], leased_until, member)
            return {{member, tenant, server}}
        end
    end
    first = first + page
until #found < page
return false
"""
"""Leases the member that has been due longest of all whose tenant and server are not in ``ARGV``; returns all three.

A member is the id of a job, or begins with one and a space. ``address``: the field of its record with the server's URL,
or nothing. A server is that of one tenant: two of them at one address are two.
"""

SETTLE = """
local member, leased_until, next_due = ARGV[1], ARGV[2], ARGV[3]
local score = redis.call('ZSCORE', KEYS[1], member)
if not score or tonumber(score) ~= tonumber(leased_until) then return 0 end
redis.call('ZREM', KEYS[1], member)
if next_due ~= '' then redis.call('ZADD', KEYS[1], next_due, member) end
return 1
"""
"""Removes a leased member, or makes it due at ``next_due``. Returns 0 if somebody made it due anew meanwhile."""
