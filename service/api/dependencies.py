"""What the routes work with; put together once in ``service.api.app``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from service.api.catalog import ModelCatalog
from service.errors import ResultExpired
from service.jobs.deliveries import DeliveryLedger
from service.jobs.estimate import Estimator
from service.jobs.events import EventReader
from service.jobs.idempotency import Submissions
from service.jobs.job import Job, JobStatus
from service.jobs.queue import JobQueue
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry
from service.storage.spool import UploadSpool
from service.storage.store import Storage
from service.video.probe import ProbeLimits


@dataclass(frozen=True)
class UploadLimits:
    """What an upload may be."""

    max_bytes: int
    probe: ProbeLimits


@dataclass(frozen=True)
class Gateway:
    """The parts of a running gateway."""

    store: RedisJobStore
    queue: JobQueue
    events: EventReader
    workers: WorkerRegistry
    storage: Storage
    catalog: ModelCatalog
    default_model: str
    limits: UploadLimits
    estimator: Estimator
    deliveries: DeliveryLedger
    submissions: Submissions
    spool: UploadSpool
    webhook_allow_private: bool
    load: CollectorRegistry
    """Gauges that are read from Redis."""
    previews: asyncio.Semaphore
    """Bounds the child processes that decode: previews must not starve uploads of the processor."""

    def job_with_files(self, job_id: str) -> Job:
        """A job whose files have not gone. Raises JobNotFound and ResultExpired."""
        job = self.store.get(job_id)
        if job.status is JobStatus.EXPIRED:
            raise ResultExpired("the files of this job were removed when its time was over")
        return job


def _gateway(request: Request) -> Gateway:
    return cast(Gateway, request.app.state.gateway)


Parts = Annotated[Gateway, Depends(_gateway)]
