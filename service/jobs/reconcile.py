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
from service.redis_state.scripts.turns import LONGEST_DELAY_S

MESSAGE_GRACE_S = 10.0
"""Seconds after which a queued step was lost on the way, if it is not listed, or no message waits that would bring a
worker to it."""


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
            steps = self._leases.pending(job_id)
            old = [step for step, state in steps.items() if self._is_old(state)]
            listed = self._queue.turns.listed(job_id) if old and not nothing_waits else frozenset()
            lost = {step for step in old if step not in listed}
            for step, state in steps.items():
                if (step in lost or self._due(state)) and self._take_over(job_id, step, state):
                    self._queue.enqueue(job_id, step)
                    found += 1
        return found

    def _take_over(self, job_id: str, step: str, state: str) -> bool:
        """Marks a step as queued unless a live worker holds it; returns whether it was marked."""
        holder = self._leases.holder(job_id, step)
        if holder and not self._leases.is_predecessor(holder):
            return False
        return self._leases.requeue(job_id, step, state, dead_owner=holder)

    def _due(self, state: str) -> bool:
        """Returns whether a step in this state is to be queued now if no live worker holds it."""
        word, _, when = state.partition(" ")
        if word != "waiting":
            return word == "running"
        return not 0 < float(when) - self._clock() <= LONGEST_DELAY_S

    def _is_old(self, state: str) -> bool:
        """Returns whether a step has been queued for longer than a message takes, or before the clock was set back."""
        word, _, when = state.partition(" ")
        return word == "queued" and abs(self._clock() - float(when)) > MESSAGE_GRACE_S
