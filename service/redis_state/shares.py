"""Divides what is due among tenants and servers: slow servers of one tenant do not hold up all others."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from service.redis_state.due import DueList, Taken, Ticket

QUIET_S = 0.5
"""Seconds for which nobody looks again after nothing was found, unless a share became free. Whoever looks passes over
all that is due for busy servers, which may be much, and each of many threads would."""


class Shares:
    """Takes due members for the threads of one worker, each of which works on one at a time."""

    def __init__(self, due: DueList, of_tenant: int, to_server: int | None = None) -> None:
        """``of_tenant``: members of one tenant at a time; ``to_server``: of those, for one server, None is all."""
        self._due = due
        self._of_tenant = of_tenant
        self._to_server = to_server or of_tenant
        self._tenants = Counter[str]()
        self._servers = Counter[str]()
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, lease_s: float) -> Iterator[Ticket | None]:
        """Leases the member that has been due longest of all that have a share left; None if there is none.

        The share is free again when the block ends. Raises BrokerUnavailable.
        """
        taken = self._take(lease_s)
        if taken is None:
            yield None
            return
        try:
            yield taken.ticket
        finally:
            self._give_back(taken)

    def _take(self, lease_s: float) -> Taken | None:
        with self._lock:
            if time.monotonic() < self._quiet_until:
                return None
            busy = [name for name, count in self._tenants.items() if count >= self._of_tenant]
            busy += [name for name, count in self._servers.items() if count >= self._to_server]
            taken = self._due.take_of_others(lease_s, busy)
            if taken is None:
                self._quiet_until = time.monotonic() + QUIET_S
            else:
                self._count(taken, 1)
            return taken

    def _give_back(self, taken: Taken) -> None:
        with self._lock:
            self._count(taken, -1)
            self._quiet_until = 0.0

    def _count(self, taken: Taken, change: int) -> None:
        for counter, name in ((self._tenants, taken.tenant), (self._servers, taken.server)):
            counter[name] += change
            if not counter[name]:
                del counter[name]  # servers come and go
