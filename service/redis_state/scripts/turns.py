"""Scripts that decide whose step is next. ``KEYS`` and ``ARGV`` are named at the top of each; times are unix seconds.

A job's *work* is counted in pixels, those of a frame once per look, times the model's cost: estimates in seconds change
with what is measured, so that jobs of different hours could not be compared. What a tenant had lately is counted in the
same way, and halves every ``HALF_LIFE_S``.
"""

from __future__ import annotations

from service.redis_state.key_names import (
    READY_SHORT,
    READY_TENANTS,
    TENANTS_USED,
    THROUGHPUT,
    JobKeys,
    jobs_of,
    ready_jobs,
)

AGED = 10
"""A job lets shorter ones pass until it has waited so many times as long as it takes itself; then it goes first."""
NOMINAL_RATE = 1e6
"""Work per second before anything was measured."""
OLDEST = 5
"""Running jobs of a tenant that are looked at for one that has waited long enough."""
HALF_LIFE_S = 300
"""A tenant that comes new goes before one that was served, until it has had as much as that one had lately."""
SMALL = 1.5
"""A segment gives way to a job of which there is left at most so many times the segment's own work: estimates of equal
jobs differ a little, and for a larger one it is no use."""
LONGEST_DELAY_S = 120
"""A step is put off by so many seconds at most: one that is due later was put off before the clock was set back."""
FIRST = 1e12
"""What the place of a preview is moved ahead by."""

PLACES = f"""
local function record_of(id) return string.format('{JobKeys("%s").record}', id) end
local function steps_of(id) return string.format('{JobKeys("%s").steps}', id) end
local function ready_of(id) return string.format('{JobKeys("%s").ready}', id) end
local function jobs_ready(tenant) return string.format('{ready_jobs("%s")}', tenant) end

local function is_due(id, step, now)
    local state = redis.call('HGET', steps_of(id), step)
    if not state then return false end
    local word, when = string.match(state, '^(%S+) (%S+)$')
    if word ~= 'waiting' then return word == 'queued' end
    return tonumber(when) <= now or tonumber(when) > now + {LONGEST_DELAY_S}
end

local function rate_of(model, cost)
    local best = 0
    local found = redis.call('HGETALL', '{THROUGHPUT}')
    for i = 1, #found, 2 do
        if string.match(found[i], '^(.*)|') == model then best = math.max(best, tonumber(found[i + 1])) end
    end
    return best > 0 and best * cost or {NOMINAL_RATE:.0f}
end

local function job(id, now)
    local f = redis.call('HMGET', record_of(id),
        'status', 'tenant', 'work', 'segments', 'created_at', 'preview', 'model', 'cost')
    if f[1] ~= 'queued' and f[1] ~= 'running' then return nil end
    local work, segments = tonumber(f[3] or 1e9), math.max(tonumber(f[4] or 1), 1)
    local left = work * math.min(redis.call('HLEN', steps_of(id)), segments) / segments
    local created, place = tonumber(f[5]), left
    local aged = (now - created) * rate_of(f[7], tonumber(f[8] or 1)) > {AGED} * work
    if f[6] then place = created - 2 * {FIRST:.0f} elseif aged then place = created - {FIRST:.0f} end
    return {{
        id = id, tenant = f[2] or 'default', left = left, step_work = work / segments, preview = f[6] and true or false,
        created = created, place = place,
    }}
end
"""
"""``job(id)`` returns what decides about an active job; ``is_due`` whether a step may be begun now."""

OFFER = (
    PLACES
    + f"""
local id, step, now = ARGV[1], ARGV[2], tonumber(ARGV[3])
if not is_due(id, step, now) then return 0 end
local offered = job(id, now)
if not offered then return 0 end
local index = string.match(step, '^segment:(%d+)$')
if not index then
    local ahead = offered.preview and {FIRST:.0f} or 0
    return redis.call('ZADD', '{READY_SHORT}', offered.created - ahead, id .. ' ' .. step)
end
redis.call('ZADD', ready_of(id), index, step)
redis.call('ZADD', jobs_ready(offered.tenant), string.format('%.3f', offered.place), id)
redis.call('SADD', '{READY_TENANTS}', offered.tenant)
return 1
"""
)
"""Lists a step among those that may be begun, unless it is in work, done or too early."""

NEXT = (
    PLACES
    + f"""
local now, weights, at_work = tonumber(ARGV[1]), cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
-- Refused without memory, and so the script ends before it takes a step off the list that could not be claimed.
redis.call('HSETNX', '{TENANTS_USED}', '', '0 0')

local function short_step()
    while true do
        local head = redis.call('ZRANGE', '{READY_SHORT}', 0, 0)[1]
        if not head then return nil end
        redis.call('ZREM', '{READY_SHORT}', head)
        local id, step = string.match(head, '^(%S+) (%S+)$')
        if is_due(id, step, now) and job(id, now) then return {{id, step, ''}} end
    end
end

local function used_by(tenant)
    local used, when = string.match(redis.call('HGET', '{TENANTS_USED}', tenant) or '0 0', '^(%S+) (%S+)$')
    return tonumber(used) * math.pow(0.5, math.max(0, now - tonumber(when)) / {HALF_LIFE_S})
end

local function shared(one)
    one.turn = (used_by(one.tenant) + one.left) / (weights[one.tenant] or 1)
    return one
end

local function first_step(id)
    while true do
        local step = redis.call('ZRANGE', ready_of(id), 0, 0)[1]
        if not step or is_due(id, step, now) then return step end
        redis.call('ZREM', ready_of(id), step)
    end
end

local function with_step(id)
    local found = job(id, now)
    local step = found and first_step(id)
    if not step then return nil end
    found.step = step
    return shared(found)
end

local function shortest(tenant)
    while true do
        local id = redis.call('ZRANGE', jobs_ready(tenant), 0, 0)[1]
        if not id then
            redis.call('SREM', '{READY_TENANTS}', tenant)
            return nil
        end
        local found = with_step(id)
        if found then return found end
        redis.call('ZREM', jobs_ready(tenant), id)
    end
end

local function first_job(tenant)
    local first = shortest(tenant)
    if not first or first.preview then return first end
    for _, id in ipairs(redis.call('ZRANGE', string.format('{jobs_of("%s", "running")}', tenant), 0, {OLDEST - 1})) do
        local old = with_step(id)
        if old and old.place < first.place then return old end
    end
    return first
end

local function is_before(one, other)
    if one.preview ~= other.preview then return one.preview end
    if one.tenant == other.tenant then return one.place < other.place end
    if one.turn ~= other.turn then return one.turn < other.turn end
    return one.id < other.id
end

local function fairest()
    local best
    for _, tenant in ipairs(redis.call('SMEMBERS', '{READY_TENANTS}')) do
        local found = first_job(tenant)
        if found and (not best or is_before(found, best)) then best = found end
    end
    return best
end

local function gives_way(best)
    for _, id in ipairs(at_work) do
        local other = job(id, now)
        if other and is_before(best, shared(other)) then
            if best.left <= {SMALL} * other.step_work or (best.preview and not other.preview) then return id end
        end
    end
end

local short = short_step()
if short then return short end
local best = fairest()
if not best then return false end
local beside = ''
if #at_work > 0 then
    beside = gives_way(best)
    if not beside then return false end
end
redis.call('ZREM', ready_of(best.id), best.step)
if redis.call('ZCARD', ready_of(best.id)) == 0 then
    redis.call('ZREM', jobs_ready(best.tenant), best.id)
else
    redis.call('ZADD', jobs_ready(best.tenant), string.format('%.3f', best.place), best.id)
end
local used = used_by(best.tenant) + best.step_work
redis.call('HSET', '{TENANTS_USED}', best.tenant, string.format('%.9g %.3f', used, now))
return {{best.id, best.step, beside}}
"""
)
"""Takes the step that is next off the list: plans and joins at once, then the segment of the job that would end first
if all tenants shared alike. ``at_work``: jobs whose segments keep a worker busy; then a segment is taken only if one of
them gives way to it, because its job is short. Returns the job, the step and the job that gives way, or nil.
"""
