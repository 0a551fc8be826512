"""Scripts that change a step of a job. None brings back a key of a deleted job.

``KEYS`` and ``ARGV`` are named at the top of each. Times are unix seconds, given by the caller; an owner is
``<worker name>/<incarnation>``.
"""

from __future__ import annotations

from service.redis_state.scripts.snippets import EVENT, WORKER

CLAIM = (
    EVENT
    + WORKER
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
"""Leases a step to a worker. Returns the answer (a value of ``ClaimAnswer``), how often the step was begun
without coming back, and how many workers in a row crashed with a step of this job.
"""

RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('EXPIRE', KEYS[1], ARGV[2])
"""
"""Prolongs a claim. Returns 0 if its owner lost it."""

FORGIVE = """
local claim, deliveries = KEYS[1], KEYS[2]
local step, owner = ARGV[1], ARGV[2]
if redis.call('GET', claim) ~= owner then return 0 end
if redis.call('HEXISTS', deliveries, step) == 0 then return 0 end
return redis.call('HDEL', deliveries, step)
"""
"""Forgets how often a held step was begun: a worker that leaves in good order is not a crash."""

RELEASE = """
local record, steps, claim, deliveries = unpack(KEYS)
local step, owner, not_before, wanting = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('GET', claim) ~= owner then return 0 end
redis.call('DEL', claim)
if redis.call('HEXISTS', steps, step) == 0 then return 0 end
redis.call('HSET', steps, step, 'waiting ' .. not_before)
if wanting ~= '' then redis.call('HSET', record, 'wanting', wanting) end
redis.call('HDEL', deliveries, step)
return 1
"""
"""Gives up a claim; its step may be begun again at ``not_before``. Returns 0 if its owner lost it.

``wanting``: what the job waits for until it gets on again; '' is nothing in particular.
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
"""Marks a lost or waiting step as queued, unless it changed since it was looked at or a live worker has it.

A step that was running went down with its worker, unless that left in good order: it counts as a crash of the job.
Returns 1 if the step was marked.
"""

SET_PLAN = (
    EVENT
    + """
local record, steps, done, claim, deliveries, events = unpack(KEYS)
local owner, now, plan, count = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if redis.call('GET', claim) == owner then redis.call('DEL', claim) end
if redis.call('HEXISTS', steps, 'plan') == 0 then return 0 end
redis.call('HSET', record, 'plan', plan, 'segments', count)
for i = 0, count - 1 do redis.call('HSET', steps, 'segment:' .. i, 'queued ' .. now) end
redis.call('HDEL', record, 'wanting')
redis.call('HDEL', steps, 'plan')
redis.call('HDEL', deliveries, 'plan')
redis.call('SADD', done, 'plan')
event(events, now, 'type', 'step_done', 'step', 'plan')
return 1
"""
)
"""Finishes the plan and queues ``count`` segments. Returns 0 if that was done before or the job is gone."""

ADD_MEMORY_PLAN = """
local record, known, plans = KEYS[1], ARGV[1], ARGV[2]
if redis.call('EXISTS', record) == 0 then return known end
local found = redis.call('HGET', record, 'memory_plans') or '[]'
if found ~= known then return found end
redis.call('HSET', record, 'memory_plans', plans)
return plans
"""
"""Replaces the memory plans of a job if they are still ``known``. Returns those that hold now."""

COMPLETE = (
    EVENT
    + WORKER
    + """
local record, steps, done, claim, deliveries, frames, events, workers = unpack(KEYS)
local step, owner, now, count, device, plan = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if redis.call('GET', claim) == owner then redis.call('DEL', claim) end
if redis.call('HDEL', steps, step) == 0 then return 0 end
redis.call('HDEL', deliveries, step)
redis.call('SADD', done, step)
redis.call('HSET', frames, step, count)
redis.call('HSET', workers, step, worker_of(owner))
if device ~= '' then redis.call('HSET', workers, step .. ' device', device) end
if plan ~= '' then redis.call('HSET', workers, step .. ' plan', plan) end
redis.call('HDEL', record, 'crashes', 'wanting')
event(events, now, 'type', 'step_done', 'step', step, 'worker', worker_of(owner))
local segments = tonumber(redis.call('HGET', record, 'segments'))
if redis.call('SCARD', done) ~= segments + 1 then return 0 end
redis.call('HSET', steps, 'finish', 'queued ' .. now)
return 1
"""
)
"""Finishes a segment. Returns 1 when it was the last one and ``finish`` is to be queued."""

_ETA = """
local function eta(record, steps, sum, seconds, now)
    local known = redis.call('HMGET', record, 'frames_total', 'timed_frames', 'timed_seconds', 'eta_at', 'progress_at',
        'eta_workers', 'eta_reason', 'wanting', 'crashes', 'expected_s', 'started_at')
    local total, frames = tonumber(known[1]), tonumber(known[2])
    if not total or frames == 0 then return nil end
    local workers = 0
    for _, state in ipairs(redis.call('HVALS', steps)) do if state == 'running' then workers = workers + 1 end end
    workers = math.max(workers, 1)
    local left = (total - sum) * tonumber(known[3]) / frames / workers
    local at, since, reason = now + left, tonumber(known[5] or known[11] or now), known[7] or ''
    local before = tonumber(known[4])
    if not before and known[10] and known[11] then before = known[11] + known[10] end
    local late = before and at - before or 0
    if late > 0 then
        local early = frames < 24 and before - now > left / 2
        if early or (late <= math.max(2, left / 10) and before > now) then
            at = before
        elseif known[8] then
            reason = 'waiting_for_space'
        elseif tonumber(known[9] or 0) > 0 then
            reason = 'worker_lost'
        elseif (now - since) - tonumber(seconds) > late / 2 or workers < tonumber(known[6] or 0) then
            reason = 'other_jobs'
        else
            reason = 'slower'
        end
    elseif late < 0 then
        reason = ''
    end
    redis.call('HSET', record, 'eta_at', string.format('%.3f', at), 'progress_at', string.format('%.3f', now),
        'eta_workers', workers, 'eta_reason', reason, 'window_s', seconds)
    return string.format('%.3f', at - now), reason
end
"""
"""``eta(record, steps, sum, seconds, now)`` foresees the end of a job after a window and returns the seconds until then
and why that is later than it was said before, '' if it is not. What was said holds as long as it is nearly right, and
the first windows, which are slow, do not change it much.
"""

PROGRESS = (
    EVENT
    + _ETA
    + """
local record, frames, events, steps = unpack(KEYS)
local step, count, new, seconds, now, newest = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
if redis.call('HGET', record, 'status') ~= 'running' then return 0 end
redis.call('HSET', frames, step, count)
redis.call('HINCRBY', record, 'timed_frames', new)
redis.call('HINCRBYFLOAT', record, 'timed_seconds', seconds)
local sum = 0
for _, value in ipairs(redis.call('HVALS', frames)) do sum = sum + tonumber(value) end
local told = {'type', 'progress', 'step', step, 'frames_done', sum}
local left, reason = eta(record, steps, sum, seconds, tonumber(now))
redis.call('HDEL', record, 'wanting')
if left then told[#told + 1], told[#told + 2] = 'eta_s', left end
if reason and reason ~= '' then told[#told + 1], told[#told + 2] = 'eta_reason', reason end
if newest ~= '' then
    redis.call('HSET', record, 'newest_frame', newest)
    told[#told + 1], told[#told + 2] = 'newest_frame', newest
end
event(events, now, unpack(told))
return 1
"""
)
"""Records the restored frames of a segment, the seconds that the new ones took, and the frame that can be seen.

Returns 0 if the job is not running.
"""
