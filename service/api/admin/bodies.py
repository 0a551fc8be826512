"""The bodies of answers to operators, as the OpenAPI document shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

from pydantic import BaseModel, Field

from service.api.answers.job_bodies import ProblemBody, ProgressBody, progress_body
from service.api.answers.problems import title_of
from service.api.answers.service_bodies import WorkerBody, worker_body
from service.jobs.job import Job, JobStatus
from service.jobs.workers import WorkerState
from service.overview.resources import BrokerUse, DiskUse
from service.overview.tenants import TenantWork


class TenantBody(BaseModel):
    """The active jobs of one tenant."""

    tenant: str
    running: int
    waiting: int
    frames_left: int
    oldest_wait_s: float | None = Field(description="Seconds for which its oldest waiting job waits.")


class StepBody(BaseModel):
    """A step that a worker has in work."""

    job: str
    step: str = Field(examples=["segment:7"])


class OperatedWorkerBody(WorkerBody):
    """A worker, with what operators want to know of it."""

    slots: int = Field(description="Segments that it works on at once.")
    steps: list[StepBody]
    frames_per_second: float = Field(description="The mean of half a minute.")
    heard_s: float = Field(description="Seconds since its last heartbeat.")
    draining: bool = Field(description="Whether it begins no more steps.")
    drained: bool = Field(description="Whether it knows that and has none in work.")


class DiskBody(BaseModel):
    """The disk of the gateway's data directory, in bytes."""

    total: int
    free: int
    reserve: int = Field(description="What uploads leave free.")
    jobs: int = Field(description="Files of jobs; 0 where they are in an object store.")
    uploads: int = Field(description="Files that are still arriving.")


class BrokerBody(BaseModel):
    """The memory of Redis, in bytes."""

    used: int
    limit: int | None


class OperatedJobBody(BaseModel):
    """A job of any tenant, in short."""

    id: str
    tenant: str
    filename: str
    status: JobStatus
    model: str
    created_at: datetime
    finished_at: datetime | None
    progress: ProgressBody
    error: ProblemBody | None


class OverviewBody(BaseModel):
    """What the service is doing, for all tenants."""

    intake_closed: bool = Field(description="Whether new work is refused with 503 `intake_closed`.")
    running: int
    waiting: int
    tenants: list[TenantBody] = Field(description="Those with active jobs, most frames left first.")
    workers: list[OperatedWorkerBody]
    jobs: list[OperatedJobBody] = Field(description="The newest running and the newest waiting jobs.")
    failures: list[OperatedJobBody] = Field(description="The newest jobs that failed.")
    dead_webhooks: int = Field(description="Deliveries that were given up; `GET /webhooks/dead` lists them.")
    disk: DiskBody
    broker: BrokerBody


def tenant_bodies(works: Iterable[TenantWork]) -> list[TenantBody]:
    return [TenantBody(**asdict(work)) for work in works]


def operated_worker(state: WorkerState, heard_s: float, asked: bool) -> OperatedWorkerBody:
    """``asked``: whether the worker was asked to drain, which it may not know yet."""
    pairs = [step.partition(" ") for step in state.steps]
    return OperatedWorkerBody(
        **worker_body(state).model_dump(),
        slots=state.slots,
        steps=[StepBody(job=job, step=step) for job, _, step in pairs],
        frames_per_second=state.frames_per_second,
        heard_s=round(heard_s, 1),
        draining=asked,
        drained=asked and state.draining and not state.running,
    )


def operated_job(job: Job) -> OperatedJobBody:
    error = job.error
    return OperatedJobBody(
        id=job.id,
        tenant=job.tenant,
        filename=job.spec.source.filename,
        status=job.status,
        model=job.spec.model,
        created_at=datetime.fromtimestamp(job.created_at, UTC),
        finished_at=datetime.fromtimestamp(job.finished_at, UTC) if job.finished_at else None,
        progress=progress_body(job),
        error=ProblemBody(title=title_of(error.code), code=error.code, detail=error.detail)
        if error
        else None,
    )


def disk_body(use: DiskUse) -> DiskBody:
    return DiskBody(**asdict(use))


def broker_body(use: BrokerUse) -> BrokerBody:
    return BrokerBody(**asdict(use))
