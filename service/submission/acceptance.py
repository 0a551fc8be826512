"""The moment at which a checked submission becomes a job."""

from __future__ import annotations

import hashlib
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace

from service.errors.broker import BrokerUnavailable
from service.errors.job import JobNotFound
from service.errors.storage import StorageUnavailable
from service.estimates.estimate import Estimator
from service.estimates.turns_before import Claimant
from service.estimates.workload import Workload
from service.jobs.job import Job, JobSpec, JobStatus
from service.jobs.queue import JobQueue
from service.jobs.step_names import PLAN
from service.jobs.store import RedisJobStore
from service.storage.store import SOURCE, Storage, Upload
from service.tenancy.quotas import Reservation
from service.transfers.bookkeeping import Transfers

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobAcceptance:
    """Creates jobs: their files, their record and their first message."""

    storage: Storage
    store: RedisJobStore
    queue: JobQueue
    estimator: Estimator

    def accept(self, upload: Upload, spec: JobSpec, room: Reservation, tenant: str) -> Job:
        """Creates files, record and message, in this order: each may rely on those before. All or nothing remains.

        Raises StorageError and BrokerUnavailable, after which the job may be there all the same.
        """
        upload.keep()
        try:
            job = self.store.create(upload.job_id, self._with_estimate(spec, tenant), room, tenant)
            self.queue.enqueue(upload.job_id, PLAN)
        except BaseException:
            self._take_back(upload.job_id)
            raise
        return job

    def accept_order(self, job_id: str, spec: JobSpec, room: Reservation, tenant: str) -> Job:
        """Creates a job whose video is still to be fetched. Raises BrokerUnavailable."""
        return self.store.create(job_id, spec, room, tenant)

    def arrive(self, job_id: str, upload: Upload, spec: JobSpec, transfers: Transfers) -> None:
        """Gives a job the video that was fetched for it; does nothing for one that has it, or was canceled or deleted.

        Whoever comes late, because it lost its lease meanwhile, takes nothing from the one that was quicker.
        Raises JobNotFound, StorageError and BrokerUnavailable.
        """
        before = self.store.get(job_id)
        self._give(job_id, upload, spec.source.sha256)
        if transfers.arrived(
            job_id, self._since(before.created_at, self._with_estimate(spec, before.tenant))
        ):
            self.queue.enqueue(job_id, PLAN)
        elif not self.store.exists(job_id):
            self.storage.delete(job_id)

    def _give(self, job_id: str, upload: Upload, sha256: str) -> None:
        """Makes the upload the source of a job that awaits one.

        One that is there, because a worker died or halts before it could tell, stays where it is the same video.
        """
        try:
            if self._awaits(job_id):
                upload.keep(job_id)
        except FileExistsError:
            if self._awaits(job_id) and not self._has(job_id, sha256):
                self.storage.delete(job_id)
                upload.keep(job_id)

    def _has(self, job_id: str, sha256: str) -> bool:
        try:
            with self.storage.reading(job_id, SOURCE) as path, path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def _take_back(self, job_id: str) -> None:
        """Removes a job that was not accepted, its record first.

        Where Redis does not answer, it may have the record, and a job needs its files; a sweep removes them otherwise.
        """
        try:
            with suppress(JobNotFound):
                self.store.delete(job_id)
            self.storage.delete(job_id)
        except (BrokerUnavailable, StorageUnavailable) as error:
            log.warning("What a submission began stays: %s [job=%s]", error, job_id)

    def _since(self, created_at: float, spec: JobSpec) -> JobSpec:
        """Adds the time that the fetch took to the estimate, which counts from the creation of the job."""
        if spec.estimated_s is None:
            return spec
        return replace(spec, estimated_s=spec.estimated_s + time.time() - created_at)

    def _awaits(self, job_id: str) -> bool:
        try:
            job = self.store.get(job_id)
        except JobNotFound:
            return False
        return job.status is JobStatus.QUEUED and job.spec.order is not None

    def _with_estimate(self, spec: JobSpec, tenant: str) -> JobSpec:
        """Adds what the job is expected to take: its first ETA, and later compared with what it took."""
        video = spec.video
        workload = Workload(spec.model, video.width, video.height, video.frames, spec.looks, spec.cost)
        expected = self.estimator.estimate(workload, Claimant(tenant, spec.preview))
        return replace(spec, estimated_s=expected.seconds, estimated_restoring_s=expected.restoring_s)
