"""The script of upload tokens."""

from __future__ import annotations

CLAIM = """
if redis.call('EXISTS', KEYS[1]) == 0 then return false end
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
return redis.call('HGET', KEYS[1], ARGV[1])
"""
"""Sets a field of a token unless it is set, and returns what it holds then; a token that is gone is not made anew."""
