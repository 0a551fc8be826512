"""Scripts of webhook deliveries."""

from __future__ import annotations

UPDATE = """
local webhooks, event_id, delivery = KEYS[1], ARGV[1], ARGV[2]
if redis.call('HDEL', webhooks, event_id) == 0 then return 0 end
redis.call('HSET', webhooks, event_id, delivery)
return 1
"""
"""Records a delivery, unless its job was deleted meanwhile; then returns 0."""
