"""What goes in time: files of jobs that ended, then their records, and files that belong to no job."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass

from service.errors.job import JobNotFound
from service.jobs.store import RedisJobStore
from service.redis_state.due import DueList
from service.storage.store import Storage

log = logging.getLogger(__name__)

LEASE_S = 300.0
"""For removing the files of one job; then another worker tries."""
ORPHAN_S = 24 * 3600.0
"""Files without a job are removed at this age: nothing that is still arriving is that old."""
ROUND_S = 3600.0


@dataclass(frozen=True)
class DueJobs:
    """Finished jobs whose files are to go, and expired ones whose records are."""

    expiry: DueList
    forget: DueList


class Retention:
    """Safe to run in several workers."""

    def __init__(self, store: RedisJobStore, storage: Storage, due: DueJobs, record_s: float) -> None:
        """``record_s``: how long an expired job stays on record."""
        self._store = store
        self._storage = storage
        self._due = due
        self._record_s = record_s
        self._next_round = 0.0

    def step(self) -> bool:
        """Remove one thing that is due. Raises BrokerUnavailable and StorageUnavailable; it is then due again."""
        return self._expire() or self._forget() or self._sweep()

    def _expire(self) -> bool:
        """Expired first, so that nobody is promised a file that is going; it stays due until the files are gone."""
        ticket = self._due.expiry.take(LEASE_S)
        if ticket is None:
            return False
        if self._store.expire(ticket.member):
            self._storage.delete(ticket.member)
            self._due.forget.add(ticket.member, time.time() + self._record_s)
        self._due.expiry.remove(ticket)
        return True

    def _forget(self) -> bool:
        ticket = self._due.forget.take(LEASE_S)
        if ticket is None:
            return False
        with suppress(JobNotFound):
            self._store.delete(ticket.member)
        self._due.forget.remove(ticket)
        return True

    def _sweep(self) -> bool:
        if time.monotonic() < self._next_round:
            return False
        self._next_round = time.monotonic() + ROUND_S
        removed = self._storage.sweep(self._store.exists, ORPHAN_S)
        if removed:
            log.info("removed %d files and uploads that belonged to no job", removed)
        return False
