"""Scripts of the heartbeats of workers. Their first change takes something away: so they need no memory (``jobs``)."""

from __future__ import annotations

BEAT = """
local worker, workers = KEYS[1], KEYS[2]
local name, state, ttl, now = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
redis.call('DEL', worker)
redis.call('SET', worker, state, 'EX', ttl)
redis.call('ZADD', workers, now, name)
"""
"""Records that a worker is alive, for the next ``ttl`` seconds."""
