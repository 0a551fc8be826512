"""Registers the Celery tasks. A message says that there is a step to do; turns decide which one is begun."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from threading import Event

from celery import Celery

from service.errors.broker import BrokerDiskFull, BrokerFull, BrokerUnavailable
from service.jobs.queue import FINISH_TASK, PLAN_TASK, SEGMENT_TASK, JobQueue
from service.jobs.step_names import FINISH, PLAN, segment_index, segment_step
from service.jobs.turns import Turn, Turns
from service.logs import RecurringWarning
from service.worker.runner import StepRunner, Work
from service.worker.steps.finish import FinishStep
from service.worker.steps.plan import PlanStep
from service.worker.steps.restore import RestoreStep

FULL_PAUSE_S = 2.0
"""Seconds between two attempts to begin a step while Redis has no room."""

PASS_ON_S = 1.0
"""Seconds until a worker that drains sends a message on: where all drain, messages go round at this pace."""

log = logging.getLogger(__name__)
_waiting = RecurringWarning(log)


@dataclass(frozen=True)
class JobSteps:
    """The three kinds of work."""

    plan: PlanStep
    restore: RestoreStep
    finish: FinishStep

    def work(self, step: str) -> Work:
        """Returns what is done in a step."""
        if step == PLAN:
            return lambda job, _touch: self.plan.run(job)
        if step == FINISH:
            return lambda job, _touch: self.finish.run(job)
        return lambda job, touch: self.restore.run(job, segment_index(step), touch)


@dataclass(frozen=True)
class NextSteps:
    """Begins the steps whose turn it is. Raises nothing."""

    turns: Turns
    runner: StepRunner
    steps: JobSteps
    stopping: Event
    """Set when the worker stops."""
    draining: Callable[[], bool]
    """Returns whether the worker is to begin nothing. Raises BrokerUnavailable."""
    queue: JobQueue

    def run_one(self, job_id: str, step: str) -> None:
        """Does the step that is next. A message names one, which is listed here: its sender may be of an older release.

        A step that was listed and is no longer to be done is passed over. While Redis has no room, this waits. A
        worker that drains sends the message on, after a pause in which another one may become free.
        """
        with suppress(
            BrokerUnavailable
        ):  # What a message was for is then found to be lost, and announced again.
            if self.draining():
                self.stopping.wait(PASS_ON_S)
                self.queue.enqueue(job_id, step)
                return
        while not self._tried(job_id, step) and not self.stopping.wait(FULL_PAUSE_S):
            pass

    def _tried(self, job_id: str, step: str) -> bool:
        """Returns False if Redis has no room for what a step changes."""
        try:
            self.turns.offer(job_id, step)
            while (turn := self.turns.take()) and not self.run(turn):
                pass
        except (BrokerFull, BrokerDiskFull) as error:
            _waiting.say("No step is begun: %s", error)
            return False
        except BrokerUnavailable as error:
            log.warning("A message is left to a later round: %s", error)
        return True

    def run(self, turn: Turn) -> bool:
        """Does a step that was taken; returns False if another worker has it or it is not to be done any more."""
        return self.runner.run(turn.job_id, turn.step, self.steps.work(turn.step))


def register(app: Celery, next_steps: NextSteps) -> None:
    """Gives the application its three tasks, one for each kind of message."""

    @app.task(name=PLAN_TASK)  # type: ignore[untyped-decorator]  # Celery publishes no types
    def plan(job_id: str) -> None:
        next_steps.run_one(job_id, PLAN)

    @app.task(name=SEGMENT_TASK)  # type: ignore[untyped-decorator]
    def restore_segment(job_id: str, index: int) -> None:
        next_steps.run_one(job_id, segment_step(index))

    @app.task(name=FINISH_TASK)  # type: ignore[untyped-decorator]
    def finish(job_id: str) -> None:
        next_steps.run_one(job_id, FINISH)
