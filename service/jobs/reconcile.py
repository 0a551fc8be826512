"""Finds steps that no worker holds and no message announces, and enqueues them again.

A step gets lost when its worker dies, or when a process dies between writing a state and sending the message.
Enqueuing a step once too often is harmless: the claim decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from service.jobs.queue import JobQueue
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore

MESSAGE_GRACE_S = 10.0
"""Seconds after which a queued step has lost its message, if no message waits and no worker holds the step."""

MESSAGE_LOST_S = 3600.0
"""Seconds after which a queued step gets a second message although others wait: in a queue that never empties a lost
message cannot be told from a waiting one, and a second one does no harm."""


class Reconciler:
    """Checks all active jobs. Safe to run in several workers at once."""

    def __init__(
        self,
        store: RedisJobStore,
        leases: StepLeases,
        queue: JobQueue,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``clock`` returns unix seconds."""
        self._store = store
        self._leases = leases
        self._queue = queue
        self._clock = clock

    def run(self) -> int:
        """Enqueues every lost or due step; returns how many. Raises BrokerUnavailable."""
        nothing_waits = self._queue.is_empty()  # asked before we add to it
        found = 0
        for job_id in self._store.active():
            for step, state in self._leases.pending(job_id).items():
                if self._due(state, nothing_waits) and self._take_over(job_id, step, state):
                    self._queue.enqueue(job_id, step)
                    found += 1
        return found

    def _take_over(self, job_id: str, step: str, state: str) -> bool:
        """Marks a step as queued unless a live worker holds it; returns whether it was marked."""
        holder = self._leases.holder(job_id, step)
        if holder and not self._leases.is_predecessor(holder):
            return False
        return self._leases.requeue(job_id, step, state, dead_owner=holder)

    def _due(self, state: str, nothing_waits: bool) -> bool:
        """Returns whether a step in this state needs a new message now if no live worker holds it."""
        word, _, when = state.partition(" ")
        if word == "running":
            return True
        if word == "waiting":
            return float(when) <= self._clock()
        age = self._clock() - float(when)
        return age > MESSAGE_LOST_S or (age > MESSAGE_GRACE_S and nothing_waits)
