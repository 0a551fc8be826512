"""Divides the transfers that a worker makes at a time among tenants: slow servers of one do not hold up all others."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from service.redis_state.due import DueList, Ticket


class TransferShares:
    """Takes due jobs for the threads of one worker, each of which transfers one at a time."""

    def __init__(self, due: DueList, most: int) -> None:
        """``most``: transfers of one tenant at a time."""
        self._due = due
        self._most = most
        self._under_way = Counter[str]()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, lease_s: float) -> Iterator[Ticket | None]:
        """Leases the job that has been due longest of all tenants that have room; None if there is none.

        Its tenant's room is free again when the block ends. Raises BrokerUnavailable.
        """
        with self._lock:
            full = [tenant for tenant, count in self._under_way.items() if count >= self._most]
            found = self._due.take_of_others(lease_s, full)
            if found is not None:
                self._under_way[found[1]] += 1
        if found is None:
            yield None
            return
        ticket, tenant = found
        try:
            yield ticket
        finally:
            with self._lock:
                self._under_way[tenant] -= 1
