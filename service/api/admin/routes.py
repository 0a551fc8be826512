"""``/admin``: what the service is doing for all tenants, and the switches of its operators."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Path

from service.api.admin.bodies import (
    OperatedWorkerBody,
    OverviewBody,
    broker_body,
    disk_body,
    operated_job,
    operated_worker,
    tenant_bodies,
)
from service.api.admin.operator_parts import OperatorParts
from service.api.dependencies import Operators
from service.api.openapi.responses import problems
from service.errors.job import WorkerNotFound
from service.jobs.job import JobStatus

router = APIRouter(prefix="/admin", tags=["admin"])

LISTED = 20
"""Running, waiting and failed jobs that are listed, of each."""

WorkerName = Annotated[str, Path(examples=["worker-1"])]


@router.get("/overview", responses=problems())
def get_overview(operators: Operators) -> OverviewBody:
    """Tells what waits and runs for which tenant, what workers do, what failed, and how full disk and Redis are."""
    jobs = operators.jobs
    counts = jobs.counts()
    active = [
        job
        for status in (JobStatus.RUNNING, JobStatus.QUEUED)
        if counts[status]
        for job in jobs.page(status, LISTED).jobs
    ]
    return OverviewBody(
        intake_closed=operators.intake.is_closed,
        running=counts[JobStatus.RUNNING],
        waiting=counts[JobStatus.QUEUED],
        tenants=tenant_bodies(operators.works.all()),
        workers=_workers(operators),
        jobs=[operated_job(job) for job in active],
        failures=[operated_job(job) for job in jobs.page(JobStatus.FAILED, LISTED).jobs],
        dead_webhooks=operators.deliveries.count_dead(),
        disk=disk_body(operators.disk.use()),
        broker=broker_body(operators.broker()),
    )


@router.put("/workers/{worker}/drain", status_code=204, responses=problems(WorkerNotFound))
def drain_worker(worker: WorkerName, operators: Operators) -> None:
    """Has a worker finish the steps in work and begin no more, until this is undone or the worker ends."""
    operators.workers.drain(worker)


@router.delete("/workers/{worker}/drain", status_code=204, responses=problems())
def undrain_worker(worker: WorkerName, operators: Operators) -> None:
    """Lets a worker begin steps again."""
    operators.workers.undrain(worker)


@router.put("/intake/closed", status_code=204, responses=problems())
def close_intake(operators: Operators) -> None:
    """Refuses new jobs, uploads and retries with 503 `intake_closed`; what was accepted goes on."""
    operators.intake.close()


@router.delete("/intake/closed", status_code=204, responses=problems())
def open_intake(operators: Operators) -> None:
    """Takes new jobs, uploads and retries again."""
    operators.intake.open()


def _workers(operators: OperatorParts) -> list[OperatedWorkerBody]:
    registry = operators.workers
    beats, asked, now = registry.last_beats(), registry.draining(), time.time()
    return [
        operated_worker(state, max(0.0, now - beats.get(state.name, now)), state.name in asked)
        for state in registry.alive()
    ]
