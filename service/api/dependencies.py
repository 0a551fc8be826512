"""What the routes work with; put together once in ``service.api.app``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated, cast

from anyio.to_thread import run_sync
from fastapi import Depends, Request
from prometheus_client import CollectorRegistry

from service.api.access import NOBODY, Caller, Rule, admitted, rule_of
from service.api.upload.body import RequestBody
from service.errors.base import ServiceError
from service.errors.job import ResultExpired
from service.estimates.estimate import Estimator
from service.jobs.events import EventReader
from service.jobs.idempotency import Submissions
from service.jobs.job import Job, JobStatus
from service.jobs.queue import JobQueue
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry
from service.model_catalog import ModelCatalog
from service.storage.spool import UploadSpool
from service.storage.store import Storage
from service.tenancy.api_keys import KeyRing
from service.tenancy.quotas import Quotas
from service.video.sandbox.probe import ProbeLimits
from service.webhooks.deliveries import DeliveryStore


@dataclass(frozen=True)
class UploadLimits:
    """What an upload may be."""

    max_bytes: int
    probe: ProbeLimits


@dataclass(frozen=True)
class Gateway:
    """The parts of a running gateway. A route gets them as its caller sees them: without others' jobs and uploads."""

    store: RedisJobStore
    queue: JobQueue
    events: EventReader
    workers: WorkerRegistry
    storage: Storage
    catalog: ModelCatalog
    default_model: str
    limits: UploadLimits
    estimator: Estimator
    deliveries: DeliveryStore
    submissions: Submissions
    spool: UploadSpool
    keys: KeyRing
    quotas: Quotas
    webhook_allow_private: bool
    load: CollectorRegistry
    """Gauges that are read from Redis."""
    previews: asyncio.Semaphore
    """Bounds the child processes that decode: previews must not starve uploads of the processor."""
    caller: Caller = NOBODY

    def job_with_files(self, job_id: str) -> Job:
        """A job whose files have not gone. Raises JobNotFound and ResultExpired."""
        job = self.store.get(job_id)
        if job.status is JobStatus.EXPIRED:
            raise ResultExpired("the files of this job were removed when its time was over")
        return job

    def still_admitted(self) -> bool:
        """Whether the caller of a long answer would still be let in."""
        key = self.caller.key
        return not self.keys.any() if key is None else self.keys.still_valid(key.prefix)

    def seen_by(self, caller: Caller) -> Gateway:
        """The same parts for one caller."""
        return replace(
            self,
            caller=caller,
            store=self.store if caller.sees_all else self.store.of(caller.tenant),
            submissions=self.submissions.of(caller.tenant),
            spool=self.spool.of(caller.tenant),
        )


async def _gateway(request: Request) -> Gateway:
    """Lets nobody in who may not: no route gets its parts any other way. The body is not looked at before that."""
    gateway = cast(Gateway, request.app.state.gateway)
    rule = rule_of(request.method, request.scope["route"].path)
    try:
        caller = await run_sync(_admitted, gateway, request, rule)
    except ServiceError:
        await RequestBody(request).drain()
        raise
    return gateway.seen_by(caller)


def _admitted(gateway: Gateway, request: Request, rule: Rule) -> Caller:
    caller = admitted(request, gateway.keys, rule)
    if rule.metered and caller.key is not None:
        gateway.quotas.count_submission(caller.key)
    return caller


Parts = Annotated[Gateway, Depends(_gateway)]
