"""Lua functions that several scripts begin with.

Key names are formatted from ``service.redis_state.key_names``: Lua puts in what only the script knows.
"""

from __future__ import annotations

from service.redis_state.key_names import Account, jobs_of, jobs_with

EVENTS_KEPT = 2000
"""Entries kept per job: hours of progress, and a bound on the memory of Redis."""

EVENT = f"""
local function event(stream, now, ...)
    return redis.call('XADD', stream, 'MAXLEN', '~', {EVENTS_KEPT}, '*', 'time', now, ...)
end
"""
"""``event(stream, now, field, value, ...)`` appends an event to a job's stream and returns its id."""

WORKER = """
local function worker_of(owner)
    return string.match(owner, '^[^/]*')
end
"""
"""``worker_of(owner)`` returns the worker's name in ``<worker name>/<incarnation>``."""

INDEXES = f"""
local function index(status)
    return string.format('{jobs_with("%s")}', status)
end
local function index_of(tenant, status)
    return string.format('{jobs_of("%s", "%s")}', tenant, status)
end
"""
"""``index(status)`` and ``index_of(tenant, status)`` return the keys of the sets of jobs in one state."""

ACCOUNT = f"""
local function account(record, id)
    local names = {{'key', 'status', 'source_bytes', 'output', 'counted_bytes', 'export_bytes'}}
    local fields = redis.call('HMGET', record, unpack(names))
    local key, status = fields[1], fields[2]
    if not key then return end
    local bytes = 0
    if status and status ~= 'expired' then
        bytes = tonumber(fields[3]) + (fields[4] and cjson.decode(fields[4]).bytes or 0) + tonumber(fields[6] or 0)
    end
    local change = string.format('%.0f', bytes - tonumber(fields[5] or 0))
    redis.call('INCRBY', string.format('{Account("%s").used}', key), change)
    redis.call('HSET', record, 'counted_bytes', string.format('%.0f', bytes))
    local active = string.format('{Account("%s").active}', key)
    if status == 'queued' or status == 'running' then
        redis.call('ZADD', active, 0, id)
    else
        redis.call('ZREM', active, id)
    end
end
"""
"""``account(record, id)`` brings the account of a job's API key up to date; called after every change of the job."""
