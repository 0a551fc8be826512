"""Sorted sets of members that become due at a unix time, such as webhook deliveries or jobs whose files expire.

A worker leases a due member by moving it into the future instead of removing it: if the worker dies, the member
becomes due again.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

import redis

from service.redis_state.connection import broker_errors
from service.redis_state.scripts import due


@dataclass(frozen=True)
class Ticket:
    """A leased member, and the unix time until which the lease lasts."""

    member: str
    until: float


@dataclass(frozen=True)
class Taken:
    """A leased member, and for whom it is."""

    ticket: Ticket
    tenant: str
    server: str
    """The tenant, and after a space the host and port of its server, if the list's members have one."""


class DueList:
    """One set of members by the time at which each is due. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis, key: str, address: str = "") -> None:
        """``key``: the sorted set, from ``service.redis_state.key_names``.

        ``address``: the field of a job's record with the URL to which its member goes.
        """
        self._key = key
        self._address = address
        self._add = client.register_script(due.ADD)
        self._claim = client.register_script(due.CLAIM)
        self._claim_of_others = client.register_script(due.CLAIM_OF_OTHERS)
        self._settle_script = client.register_script(due.SETTLE)

    def add(self, member: str, when: float) -> None:
        """Makes a member due at the unix time ``when``, whether or not it was listed before."""
        with broker_errors():
            self._add(keys=[self._key], args=[member, when])

    def take(self, lease_s: float) -> Ticket | None:
        """Leases the member that has been due longest for ``lease_s`` seconds; returns None if none is due."""
        now = time.time()
        until = round(now + lease_s, 3)
        with broker_errors():
            member = self._claim(keys=[self._key], args=[now, until])
        return None if member is None else Ticket(str(member), until)

    def take_of_others(self, lease_s: float, busy: Collection[str]) -> Taken | None:
        """Leases the member that has been due longest and is of none of the tenants and servers in ``busy``.

        For sets whose members are jobs, or begin with the id of one. Returns None if none is due.
        """
        now = time.time()
        until = round(now + lease_s, 3)
        with broker_errors():
            found = self._claim_of_others(keys=[self._key], args=[now, until, self._address, *busy])
        if found is None:
            return None
        member, tenant, server = (str(part) for part in found)
        return Taken(Ticket(member, until), tenant, server)

    def renew(self, ticket: Ticket, lease_s: float) -> Ticket | None:
        """Prolongs a lease; returns None if it was lost: the member was removed, or made due anew."""
        until = round(time.time() + lease_s, 3)
        return Ticket(ticket.member, until) if self._settle(ticket, str(until)) else None

    def remove(self, ticket: Ticket) -> None:
        """Removes a leased member, unless it was made due anew in the meantime."""
        self._settle(ticket, "")

    def reschedule(self, ticket: Ticket, when: float) -> None:
        """Makes a leased member due at the unix time ``when``, unless it was made due anew in the meantime."""
        self._settle(ticket, str(when))

    def _settle(self, ticket: Ticket, when: str) -> bool:
        with broker_errors():
            return bool(self._settle_script(keys=[self._key], args=[ticket.member, ticket.until, when]))
