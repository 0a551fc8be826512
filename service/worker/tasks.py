"""Registers the Celery tasks, thin shells around the steps: an id comes in, and the runner reads the job anew."""

from __future__ import annotations

from dataclasses import dataclass

from celery import Celery

from service.jobs.queue import FINISH_TASK, PLAN_TASK, SEGMENT_TASK
from service.jobs.step_names import FINISH, PLAN, segment_step
from service.worker.runner import StepRunner
from service.worker.steps.finish import FinishStep
from service.worker.steps.plan import PlanStep
from service.worker.steps.restore import RestoreStep


@dataclass(frozen=True)
class JobSteps:
    """The work of the three tasks."""

    plan: PlanStep
    restore: RestoreStep
    finish: FinishStep


def register(app: Celery, runner: StepRunner, steps: JobSteps) -> None:
    """Gives the application its three tasks."""

    @app.task(name=PLAN_TASK)  # type: ignore[untyped-decorator]  # Celery publishes no types
    def plan(job_id: str) -> None:
        runner.run(job_id, PLAN, lambda job, _touch: steps.plan.run(job))

    @app.task(name=SEGMENT_TASK)  # type: ignore[untyped-decorator]
    def restore_segment(job_id: str, index: int) -> None:
        runner.run(job_id, segment_step(index), lambda job, touch: steps.restore.run(job, index, touch))

    @app.task(name=FINISH_TASK)  # type: ignore[untyped-decorator]
    def finish(job_id: str) -> None:
        runner.run(job_id, FINISH, lambda job, _touch: steps.finish.run(job))
