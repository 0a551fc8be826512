"""Redis scripts: each changes a job atomically, and none brings back a key of a deleted job.

``KEYS`` and ``ARGV`` are named at the top of each. Times are unix seconds, given by the caller.
"""

from __future__ import annotations

EVENTS_KEPT = 2000
"""Entries kept per job: hours of progress, and a bound on Redis' memory."""

_EVENT = f"""
local function event(stream, now, ...)
    return redis.call('XADD', stream, 'MAXLEN', '~', {EVENTS_KEPT}, '*', 'time', now, ...)
end
"""

_WORKER = """
local function worker_of(owner)
    return string.match(owner, '^[^/]*')
end
"""

_ACCOUNT = """
local function account(record, id)
    local fields = redis.call('HMGET', record, 'key', 'status', 'source_bytes', 'output', 'counted_bytes')
    local key, status = fields[1], fields[2]
    if not key then return end
    local bytes = 0
    if status and status ~= 'expired' then
        bytes = tonumber(fields[3]) + (fields[4] and cjson.decode(fields[4]).bytes or 0)
    end
    local change = string.format('%.0f', bytes - tonumber(fields[5] or 0))
    redis.call('INCRBY', 'cdvd:key:' .. key .. ':bytes', change)
    redis.call('HSET', record, 'counted_bytes', string.format('%.0f', bytes))
    local active = 'cdvd:key:' .. key .. ':active'
    if status == 'queued' or status == 'running' then
        redis.call('ZADD', active, 0, id)
    else
        redis.call('ZREM', active, id)
    end
end
"""
"""What the key of a job uses (``keys.Account``), after any change of the job."""

ENROLL = (
    _ACCOUNT
    + """
account(KEYS[1], ARGV[1])
"""
)
"""A new job counts from now on."""

WITHDRAW = (
    _ACCOUNT
    + """
if redis.call('HDEL', KEYS[1], 'status') == 1 then account(KEYS[1], ARGV[1]) end
"""
)
"""A job that is about to be deleted counts no more."""

TRANSITION = (
    _EVENT
    + _ACCOUNT
    + """
local record, events, index_prefix, webhooks, webhooks_due, partials_due, expiry_due, tenants = unpack(KEYS)
local id, sources, target, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local status = redis.call('HGET', record, 'status')
if not status then return 'missing' end
if not string.find(sources, '|' .. status .. '|', 1, true) then return status end
redis.call('HSET', record, 'status', target)
for i = 5, #ARGV, 2 do redis.call('HSET', record, ARGV[i], ARGV[i + 1]) end
redis.call('ZREM', index_prefix .. status, id)
redis.call('ZADD', index_prefix .. target, 0, id)
local own_prefix = tenants .. (redis.call('HGET', record, 'tenant') or 'default') .. ':jobs:'
redis.call('ZREM', own_prefix .. status, id)
redis.call('ZADD', own_prefix .. target, 0, id)
local entry = event(events, now, 'type', 'status', 'status', target)
if target == 'queued' then
    redis.call('HDEL', record, 'expires_at', 'output')
    redis.call('ZREM', expiry_due, id)
    redis.call('ZREM', partials_due, id)
elseif target == 'succeeded' or target == 'failed' or target == 'canceled' then
    local fields = redis.call('HMGET', record, 'expires_at', 'webhook_url', 'output', 'error', 'plan')
    if fields[1] then redis.call('ZADD', expiry_due, fields[1], id) end
    if fields[2] then
        local delivery = {status = target, time = tonumber(now)}
        if fields[3] then delivery.output = cjson.decode(fields[3]) end
        if fields[4] then delivery.error = cjson.decode(fields[4]) end
        redis.call('HSET', webhooks, entry, cjson.encode(delivery))
        redis.call('ZADD', webhooks_due, now, id .. ' ' .. entry)
    end
    if target == 'canceled' and fields[5] then redis.call('ZADD', partials_due, now, id) end
end
account(record, id)
return 'changed'
"""
)
"""Change the status if the present one allows it. Returns 'changed', 'missing' or the present status.

What follows from an end is noted in the same breath: when files go, what is delivered, what is joined.
"""

SET_PARTIAL = (
    _ACCOUNT
    + """
if redis.call('HGET', KEYS[1], 'status') ~= 'canceled' then return 0 end
redis.call('HSET', KEYS[1], 'output', ARGV[1])
account(KEYS[1], ARGV[2])
return 1
"""
)

CLAIM = (
    _EVENT
    + _WORKER
    + """
local record, steps, done, claim, deliveries, frames, events = unpack(KEYS)
local step, owner, ttl, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local status = redis.call('HGET', record, 'status')
if status ~= 'queued' and status ~= 'running' then return {'stopped', 0, 0} end
if redis.call('SISMEMBER', done, step) == 1 then return {'done', 0, 0} end
if redis.call('HEXISTS', steps, step) == 0 then return {'stopped', 0, 0} end
if redis.call('EXISTS', claim) == 1 then return {'held', 0, 0} end
redis.call('SET', claim, owner, 'EX', ttl)
redis.call('HSET', steps, step, 'running')
redis.call('HDEL', frames, step)
event(events, now, 'type', 'step_started', 'step', step, 'worker', worker_of(owner))
local crashes = tonumber(redis.call('HGET', record, 'crashes') or 0)
return {'granted', redis.call('HINCRBY', deliveries, step, 1), crashes}
"""
)

RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('EXPIRE', KEYS[1], ARGV[2])
"""

FORGIVE = """
local claim, deliveries = KEYS[1], KEYS[2]
local step, owner = ARGV[1], ARGV[2]
if redis.call('GET', claim) ~= owner then return 0 end
if redis.call('HEXISTS', deliveries, step) == 0 then return 0 end
return redis.call('HDEL', deliveries, step)
"""
"""A worker that leaves in good order is not a crash: forget the deliveries of what it holds."""

RELEASE = """
local record, steps, claim, deliveries = unpack(KEYS)
local step, owner, not_before = ARGV[1], ARGV[2], ARGV[3]
if redis.call('GET', claim) ~= owner then return 0 end
redis.call('DEL', claim)
if redis.call('HEXISTS', steps, step) == 0 then return 0 end
redis.call('HSET', steps, step, 'waiting ' .. not_before)
redis.call('HDEL', deliveries, step)
return 1
"""

REQUEUE = """
local record, steps, claim, deliveries = unpack(KEYS)
local step, seen, dead_owner, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('HGET', steps, step) ~= seen then return 0 end
local owner = redis.call('GET', claim)
if owner and owner ~= dead_owner then return 0 end
redis.call('DEL', claim)
redis.call('HSET', steps, step, 'queued ' .. now)
if seen == 'running' and redis.call('HEXISTS', deliveries, step) == 1 then
    redis.call('HINCRBY', record, 'crashes', 1)
end
return 1
"""
"""Mark a lost or waiting step as queued, unless it changed since it was looked at or a live worker has it.

One that was running went down with its worker, unless that left in good order: the job's crashes are counted.
"""

SET_PLAN = (
    _EVENT
    + """
local record, steps, done, claim, deliveries, events = unpack(KEYS)
local owner, now, plan, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('GET', claim) == owner then redis.call('DEL', claim) end
if redis.call('HEXISTS', steps, 'plan') == 0 then return 0 end
redis.call('HSET', record, 'plan', plan, 'segments', count)
for i = 0, count - 1 do redis.call('HSET', steps, 'segment:' .. i, 'queued ' .. now) end
redis.call('HDEL', steps, 'plan')
redis.call('HDEL', deliveries, 'plan')
redis.call('SADD', done, 'plan')
event(events, now, 'type', 'step_done', 'step', 'plan')
return 1
"""
)

COMPLETE = (
    _EVENT
    + _WORKER
    + """
local record, steps, done, claim, deliveries, frames, events, workers = unpack(KEYS)
local step, owner, now, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('GET', claim) == owner then redis.call('DEL', claim) end
if redis.call('HDEL', steps, step) == 0 then return 0 end
redis.call('HDEL', deliveries, step)
redis.call('SADD', done, step)
redis.call('HSET', frames, step, count)
redis.call('HSET', workers, step, worker_of(owner))
redis.call('HDEL', record, 'crashes')
event(events, now, 'type', 'step_done', 'step', step, 'worker', worker_of(owner))
local segments = tonumber(redis.call('HGET', record, 'segments'))
if redis.call('SCARD', done) ~= segments + 1 then return 0 end
redis.call('HSET', steps, 'finish', 'queued ' .. now)
return 1
"""
)
"""Mark a segment as finished. Returns 1 when it was the last one and ``finish`` is to be queued."""

PROGRESS = (
    _EVENT
    + """
local record, frames, events = unpack(KEYS)
local step, count, new, seconds, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('HGET', record, 'status') ~= 'running' then return 0 end
redis.call('HSET', frames, step, count)
redis.call('HINCRBY', record, 'timed_frames', new)
redis.call('HINCRBYFLOAT', record, 'timed_seconds', seconds)
local sum = 0
for _, value in ipairs(redis.call('HVALS', frames)) do sum = sum + tonumber(value) end
event(events, now, 'type', 'progress', 'step', step, 'frames_done', sum)
return 1
"""
)

RETRY = """
local record, steps = KEYS[1], KEYS[2]
local now = ARGV[1]
redis.call('HDEL', record, 'error', 'finished_at', 'crashes')
for _, step in ipairs(redis.call('HKEYS', steps)) do redis.call('HSET', steps, step, 'queued ' .. now) end
return redis.call('HKEYS', steps)
"""
