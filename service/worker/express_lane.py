"""A thread of a busy worker for what must not wait: plans, joins, previews, and the segments of short jobs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event

from service.errors.broker import BrokerUnavailable
from service.jobs.step_names import SEGMENT_PREFIX
from service.worker.right_of_way import RightOfWay
from service.worker.tasks import NextSteps

LOOK_S = 0.1
"""Seconds until a busy worker looks again; a look is one small call to Redis."""


@dataclass(frozen=True)
class ExpressLane:
    """Runs one step at a time beside those that keep the worker busy."""

    next_steps: NextSteps
    way: RightOfWay
    stopping: Event
    """Set when the worker stops; the lane then takes nothing more."""
    in_work: Callable[[], list[tuple[str, str]]]
    """Returns the job and the name of each step in work."""
    slots: int
    """Steps that the worker takes by messages at once; while one of these is free, a message brings the next step."""

    def step(self) -> bool:
        """Does one step if one goes before those in work; returns whether one did.

        Nothing is said where Redis does not answer: the heartbeat says it, and the lane looks several times a second.
        """
        in_work = self.in_work()
        segments = [job_id for job_id, step in in_work if step.startswith(SEGMENT_PREFIX)]
        if self.stopping.is_set() or len(in_work) < self.slots or not segments:
            return False
        turn = None
        with suppress(BrokerUnavailable):
            turn = None if self.next_steps.draining() else self.next_steps.turns.take(segments)
        if turn is None:
            return False
        with self.way.over(turn.beside):
            self.next_steps.run(turn)
        return True
