"""Work that has its time: members of a sorted set by the unix time at which each is due.

Whoever takes one on moves it into the future instead of removing it: if that worker dies, it is due again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import redis

from service.redis_state.connection import broker_errors

_CLAIM = """
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)
if #found == 0 then return false end
redis.call('ZADD', KEYS[1], ARGV[2], found[1])
return found[1]
"""

_MOVE = """
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 0 end
if ARGV[3] == '' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[1])
return 1
"""
"""Only as long as nobody gave the member another time meanwhile."""


@dataclass(frozen=True)
class Ticket:
    """A member that was taken on, and until when it is ours."""

    member: str
    until: float


class DueList:
    """One such set. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis, key: str) -> None:
        self._redis = client
        self._key = key
        self._claim = client.register_script(_CLAIM)
        self._move = client.register_script(_MOVE)

    def add(self, member: str, when: float) -> None:
        """Make a member due at a unix time, whatever it was before."""
        with broker_errors():
            self._redis.zadd(self._key, {member: when})

    def take(self, lease_s: float) -> Ticket | None:
        """The member that is due longest, ours for ``lease_s`` seconds; None if none is due."""
        now = time.time()
        until = round(now + lease_s, 3)
        with broker_errors():
            member = self._claim(keys=[self._key], args=[now, until])
        return None if member is None else Ticket(str(member), until)

    def done(self, ticket: Ticket) -> None:
        """Remove it, unless it was made due anew in the meantime."""
        self._settle(ticket, "")

    def again(self, ticket: Ticket, when: float) -> None:
        """Make it due at another time, unless it was made due anew in the meantime."""
        self._settle(ticket, str(when))

    def _settle(self, ticket: Ticket, when: str) -> None:
        with broker_errors():
            self._move(keys=[self._key], args=[ticket.member, ticket.until, when])
