"""The script that sums up the work of all tenants. ``KEYS`` and ``ARGV`` are named at the top."""

from __future__ import annotations

from service.redis_state.key_names import JobKeys

SUM_UP = f"""
local running, queued = KEYS[1], KEYS[2]
local most = tonumber(ARGV[1])
local tenants, order = {{}}, {{}}

local function frames_left(id, spec)
    local total, done = cjson.decode(spec).video.frames, 0
    for _, count in ipairs(redis.call('HVALS', string.format('{JobKeys("%s").frames}', id))) do
        done = done + tonumber(count)
    end
    return math.max(0, total - done)
end

local function add(id, place)
    local record = redis.call('HMGET', string.format('{JobKeys("%s").record}', id), 'tenant', 'created_at', 'spec')
    if not record[3] then return end
    local name = record[1] or 'default'
    local sums = tenants[name]
    if not sums then
        sums = {{0, 0, 0, ''}}
        tenants[name] = sums
        table.insert(order, name)
    end
    sums[place] = sums[place] + 1
    sums[3] = sums[3] + frames_left(id, record[3])
    if place == 2 and (sums[4] == '' or tonumber(record[2]) < tonumber(sums[4])) then sums[4] = record[2] end
end

for place, index in ipairs({{running, queued}}) do
    for _, id in ipairs(redis.call('ZRANGE', index, 0, most - 1)) do add(id, place) end
end
local rows = {{}}
for _, name in ipairs(order) do
    local sums = tenants[name]
    table.insert(rows, {{name, sums[1], sums[2], sums[3], sums[4]}})
end
return rows
"""
"""Returns a row for each tenant with active jobs: name, running and queued jobs, frames left, and when the oldest
queued one was created. The oldest ``most`` jobs of each state are looked at."""
