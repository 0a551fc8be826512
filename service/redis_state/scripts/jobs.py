"""Scripts that change a job as a whole. None brings back a key of a deleted job.

A script whose first change takes something away may go on to add when Redis has no memory left: so jobs can be deleted,
canceled and expired then, and end.

``KEYS`` and ``ARGV`` are named at the top of each. Times are unix seconds, given by the caller.
"""

from __future__ import annotations

from service.redis_state.key_names import FETCHES_DUE, OUTPUTS_DUE
from service.redis_state.scripts.snippets import ACCOUNT, EVENT, INDEXES

READ = """
local found = {}
for i = 1, #KEYS, 3 do
    local record = redis.call('HGETALL', KEYS[i])
    found[#found + 1] = {record, redis.call('HVALS', KEYS[i + 1]), redis.call('HVALS', KEYS[i + 2])}
end
return found
"""
"""Returns record, frames and states of steps of several jobs, as they are at one moment; a transaction would need
memory."""

ENROLL = (
    ACCOUNT
    + """
account(KEYS[1], ARGV[1])
"""
)
"""Counts a new job in the account of its key."""

COUNT_EXPORT = (
    ACCOUNT
    + """
local record, id, bytes = KEYS[1], ARGV[1], ARGV[2]
if redis.call('HEXISTS', record, 'status') == 0 then return 0 end
redis.call('HSET', record, 'export_bytes', bytes)
account(record, id)
return 1
"""
)
"""Counts the bytes of a video that was made of a job beside its result. Returns 0 if the job was deleted."""

DELETE = (
    ACCOUNT
    + """
local record, id = KEYS[1], ARGV[1]
if redis.call('HDEL', record, 'status') == 1 then account(record, id) end
for i = 2, #ARGV do redis.call('ZREM', ARGV[i], id) end
redis.call('DEL', unpack(KEYS))
"""
)
"""Takes a job out of the account of its key and out of all sorted sets that list it, and deletes its keys."""

TRANSITION = (
    f"local FETCHES, OUTPUTS = '{FETCHES_DUE}', '{OUTPUTS_DUE}'"
    + EVENT
    + INDEXES
    + ACCOUNT
    + """
local record, events, webhooks, webhooks_due, partials_due, expiry_due = unpack(KEYS)
local id, sources, target, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local status = redis.call('HGET', record, 'status')
if not status then return 'missing' end
if not string.find(sources, '|' .. status .. '|', 1, true) then return status end
redis.call('ZREM', index(status), id)
redis.call('HSET', record, 'status', target)
if target ~= 'running' then redis.call('HDEL', record, 'wanting') end
for i = 5, #ARGV, 2 do redis.call('HSET', record, ARGV[i], ARGV[i + 1]) end
redis.call('ZADD', index(target), 0, id)
local tenant = redis.call('HGET', record, 'tenant') or 'default'
redis.call('ZREM', index_of(tenant, status), id)
redis.call('ZADD', index_of(tenant, target), 0, id)
local entry = event(events, now, 'type', 'status', 'status', target)
redis.call('ZREM', FETCHES, id)
if target == 'queued' then
    redis.call('HDEL', record, 'expires_at', 'output')
    if redis.call('HDEL', record, 'fetched') == 1 then
        redis.call('HDEL', record, 'fetch_attempts')
        redis.call('HSET', record, 'fetched', '0 ')
        redis.call('ZADD', FETCHES, now, id)
    end
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
    if target == 'succeeded' and redis.call('HEXISTS', record, 'output_url') == 1 then
        redis.call('HSET', record, 'handover', '{"state": "pending"}')
        redis.call('ZADD', OUTPUTS, now, id)
    end
    if target == 'canceled' and fields[5] then redis.call('ZADD', partials_due, now, id) end
end
account(record, id)
return 'changed'
"""
)
"""Changes the status of a job if the present one allows it. Returns 'changed', 'missing' or the present status.

What follows from an end is recorded in the same transaction: when files are removed, which webhook is delivered, where
the result is sent, whether finished segments are joined. A retry of a job whose video never arrived fetches it.
"""

SET_PARTIAL = (
    ACCOUNT
    + """
if redis.call('HGET', KEYS[1], 'status') ~= 'canceled' then return 0 end
redis.call('HSET', KEYS[1], 'output', ARGV[1])
account(KEYS[1], ARGV[2])
return 1
"""
)
"""Records the file of a canceled job. Returns 0 if the job is not canceled any more."""

RETRY = """
local record, steps = KEYS[1], KEYS[2]
local now = ARGV[1]
redis.call('HDEL', record, 'error', 'finished_at', 'crashes', 'eta_at', 'eta_reason', 'expected_s')
for _, step in ipairs(redis.call('HKEYS', steps)) do redis.call('HSET', steps, step, 'queued ' .. now) end
return redis.call('HKEYS', steps)
"""
"""Queues all steps still to do. Returns their names."""
