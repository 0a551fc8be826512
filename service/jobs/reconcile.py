"""Finds steps that nobody works on and no message will bring, and enqueues them again.

A step gets lost when its worker dies, or when a process dies between writing a state and sending the message.
Enqueuing a step once too often is harmless: the claim decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from service.jobs.ledger import StepLedger
from service.jobs.queue import JobQueue
from service.jobs.store import RedisJobStore

MESSAGE_GRACE_S = 10.0
"""A queued step this old whose message is neither in the queue nor with a worker has lost its message."""

MESSAGE_LOST_S = 3600.0
"""On a queue that never empties one cannot tell; after this long a second message costs nothing."""


class Reconciler:
    """Looks through all active jobs once per call. Safe to run in several workers at once."""

    def __init__(
        self,
        store: RedisJobStore,
        ledger: StepLedger,
        queue: JobQueue,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._queue = queue
        self._clock = clock

    def run(self) -> int:
        """Enqueue every lost or due step; returns how many."""
        nothing_waits = self._queue.is_empty()  # asked before we add to it
        found = 0
        for job_id in self._store.active():
            for step, state in self._ledger.pending(job_id).items():
                if self._due(state, nothing_waits) and self._take_over(job_id, step, state):
                    self._queue.enqueue(job_id, step)
                    found += 1
        return found

    def _take_over(self, job_id: str, step: str, state: str) -> bool:
        """Mark the step as queued, unless a live worker has it."""
        holder = self._ledger.holder(job_id, step)
        if holder and not self._ledger.is_predecessor(holder):
            return False
        return self._ledger.requeue(job_id, step, state, dead_owner=holder)

    def _due(self, state: str, nothing_waits: bool) -> bool:
        """Whether a step in this state needs a new message now if no live worker holds it."""
        word, _, when = state.partition(" ")
        if word == "running":
            return True
        if word == "waiting":
            return float(when) <= self._clock()
        age = self._clock() - float(when)
        return age > MESSAGE_LOST_S or (age > MESSAGE_GRACE_S and nothing_waits)
