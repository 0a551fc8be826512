"""Celery tasks: thin shells around the steps. An id comes in, the job is read anew."""

from __future__ import annotations

from celery import Celery

from service.jobs.queue import FINISH_TASK, PLAN_TASK, SEGMENT_TASK
from service.jobs.step_names import FINISH, PLAN, segment_step
from service.worker.runner import StepRunner
from service.worker.steps import Steps


def register(app: Celery, runner: StepRunner, steps: Steps) -> None:
    """Give the application its three tasks."""

    @app.task(name=PLAN_TASK)  # type: ignore[untyped-decorator]  # Celery publishes no types
    def plan(job_id: str) -> None:
        runner.run(job_id, PLAN, lambda job, _touch: steps.plan(job))

    @app.task(name=SEGMENT_TASK)  # type: ignore[untyped-decorator]
    def restore_segment(job_id: str, index: int) -> None:
        runner.run(job_id, segment_step(index), lambda job, touch: steps.segment(job, index, touch))

    @app.task(name=FINISH_TASK)  # type: ignore[untyped-decorator]
    def finish(job_id: str) -> None:
        runner.run(job_id, FINISH, lambda job, _touch: steps.finish(job))
