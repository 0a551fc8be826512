"""Removes the files of jobs some time after they ended, later their records, and files that belong to no job."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass

from service.errors.job import JobNotFound
from service.jobs.store import RedisJobStore
from service.redis_state.due import DueList
from service.storage.store import Storage
from service.text import plural

log = logging.getLogger(__name__)

LEASE_S = 300.0
"""Seconds for removing the files of one job; then another worker tries."""
ORPHAN_S = 24 * 3600.0
"""Age in seconds at which files without a job are removed: nothing that is still arriving is that old."""
ROUND_S = 3600.0
"""Seconds between two searches for files without a job."""


@dataclass(frozen=True)
class DueJobs:
    """The ended jobs whose files are due for removal, and the expired jobs whose records are."""

    expiry: DueList
    forget: DueList


class Retention:
    """Removes what is due. Safe to run in several workers."""

    def __init__(self, store: RedisJobStore, storage: Storage, due: DueJobs, record_s: float) -> None:
        """``record_s``: how many seconds an expired job stays on record."""
        self._store = store
        self._storage = storage
        self._due = due
        self._record_s = record_s
        self._next_round = 0.0

    def step(self) -> bool:
        """Removes the files or the record of one job if one is due; returns whether one was.

        Raises BrokerUnavailable and StorageUnavailable; the job is then due again.
        """
        return self._expire() or self._forget() or self._sweep()

    def _expire(self) -> bool:
        """Marks a job as expired, then removes its files: nobody is promised them. It stays due until they are gone."""
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
            log.info(
                "Removed %s that belonged to no job.", plural(removed, "file or upload", "files and uploads")
            )
        return False
