"""Scripts of what the service learns from its work."""

from __future__ import annotations

AVERAGE = """
local key, field, value, weight = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local known = tonumber(redis.call('HGET', key, field) or value)
redis.call('HSET', key, field, string.format('%.9g', known + weight * (value - known)))
return 1
"""
"""Moves an average towards a new value by ``weight``, in 0..1; the first value is taken as it is."""
