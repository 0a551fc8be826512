"""Scripts of jobs whose video is fetched, and whose result is sent, by the service."""

from __future__ import annotations

from service.redis_state.scripts.snippets import ACCOUNT, EVENT

FETCHED = (
    EVENT
    + """
local record, events = unpack(KEYS)
local now, there, total = ARGV[1], ARGV[2], ARGV[3]
if redis.call('HEXISTS', record, 'fetched') == 0 then return 0 end
redis.call('HDEL', record, 'wanting')
redis.call('HSET', record, 'fetched', there .. ' ' .. total)
event(events, now, 'type', 'fetch', 'bytes_done', there, 'bytes_total', total)
return 1
"""
)
"""Records how many bytes of a video have arrived. Returns 0 if the job waits for none."""

ARRIVED = (
    EVENT
    + ACCOUNT
    + """
local record, steps, events, due = unpack(KEYS)
local id, now = ARGV[1], ARGV[2]
if redis.call('HGET', record, 'status') ~= 'queued' then return 0 end
if redis.call('HDEL', record, 'fetched') == 0 then return 0 end
redis.call('ZREM', due, id)
redis.call('HDEL', record, 'fetch_attempts', 'wanting')
for i = 3, #ARGV, 2 do redis.call('HSET', record, ARGV[i], ARGV[i + 1]) end
redis.call('HSET', steps, 'plan', 'queued ' .. now)
event(events, now, 'type', 'step_done', 'step', 'fetch')
account(record, id)
return 1
"""
)
"""Gives a job the video that it waited for, and its first step. Returns 0 if it waits for none any more."""

PUT_OFF = """
local record, wanting = KEYS[1], ARGV[1]
if redis.call('HEXISTS', record, 'fetched') == 0 then return 0 end
if wanting ~= '' then
    redis.call('HSET', record, 'wanting', wanting)
    return 0
end
return redis.call('HINCRBY', record, 'fetch_attempts', 1)
"""
"""Notes what a fetch waits for; '' counts an attempt that failed. Returns how many did by now."""

HANDOVER = """
if redis.call('HEXISTS', KEYS[1], 'handover') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'handover', ARGV[1])
return 1
"""
"""Records what became of sending a result, unless the job was deleted."""
