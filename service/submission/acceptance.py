"""The moment at which a checked submission becomes a job."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from service.errors.base import ServiceError
from service.errors.storage import StorageUnavailable
from service.estimates.estimate import Estimator
from service.estimates.turns_before import Claimant
from service.estimates.workload import Workload
from service.jobs.job import Job, JobSpec
from service.jobs.queue import JobQueue
from service.jobs.step_names import PLAN
from service.jobs.store import RedisJobStore
from service.storage.store import Storage, Upload
from service.tenancy.quotas import Reservation


@dataclass(frozen=True)
class JobAcceptance:
    """Creates jobs: their files, their record and their first message."""

    storage: Storage
    store: RedisJobStore
    queue: JobQueue
    estimator: Estimator

    def accept(self, upload: Upload, spec: JobSpec, room: Reservation, tenant: str) -> Job:
        """Creates files, record and message, in this order: each may rely on those before. All or nothing remains.

        Raises StorageError and BrokerUnavailable.
        """
        upload.keep()
        try:
            job = self.store.create(upload.job_id, self._with_estimate(spec, tenant), room, tenant)
            self.queue.enqueue(upload.job_id, PLAN)
        except BaseException:
            with suppress(StorageUnavailable):
                self.storage.delete(upload.job_id)
            with suppress(ServiceError):
                self.store.delete(upload.job_id)
            raise
        return job

    def _with_estimate(self, spec: JobSpec, tenant: str) -> JobSpec:
        """Adds what the job is expected to take: its first ETA, and later compared with what it took."""
        video = spec.video
        workload = Workload(spec.model, video.width, video.height, video.frames, spec.looks, spec.cost)
        expected = self.estimator.estimate(workload, Claimant(tenant, spec.preview))
        return replace(spec, estimated_s=expected.seconds, estimated_restoring_s=expected.restoring_s)
