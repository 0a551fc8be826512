"""Submissions whose answer from Redis is lost: the job is there, so its files are, and it is found again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from benchmarks.reliability.chaos.links import Link, State
from service.config import Settings
from service.errors.broker import BrokerUnavailable
from service.estimates.estimate import Estimator
from service.estimates.throughput import Throughput
from service.jobs.job import Job, JobSpec, new_job_id
from service.jobs.queue import JobQueue, create_celery
from service.jobs.reader import JobReader
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry
from service.redis_state.connection import connect
from service.storage.filesystem import FilesystemStorage
from service.submission.acceptance import JobAcceptance
from service.tenancy.quotas import Reservation
from tests.integration.jobs.planned import SPEC

pytestmark = pytest.mark.integration


@pytest.fixture
def link(url: str) -> Iterator[Link]:
    """From a gateway to Redis."""
    socket = Path(urlsplit(url).path)
    with Link(lambda: socket) as made:
        yield made


class CutOffStore(RedisJobStore):
    """Loses its Redis just before, or just after, a job was created there."""

    link: Link
    creates: bool

    def create(
        self, job_id: str, spec: JobSpec, reservation: Reservation | None = None, tenant: str = "default"
    ) -> Job:
        if self.creates:
            super().create(job_id, spec, reservation, tenant)
        self.link.become(State.BROKEN)
        return super().create(job_id, spec, reservation, tenant)


@pytest.mark.parametrize("creates", [True, False], ids=["answer lost", "question lost"])
def test_files_stay_while_nobody_knows_whether_there_is_a_job(
    client: redis.Redis, link: Link, tmp_path: Path, creates: bool
) -> None:
    storage, job_id = FilesystemStorage(tmp_path), new_job_id()
    upload = storage.begin_upload(job_id, 3)
    upload.write(b"abc")
    upload.finish()
    far = f"redis://127.0.0.1:{link.port}/0"
    with connect(far) as gateways, closing(JobQueue(create_celery(far), gateways)) as queue:
        store = CutOffStore(gateways)
        store.link, store.creates = link, creates
        estimator = Estimator(
            Throughput(gateways),
            JobReader(gateways),
            WorkerRegistry(gateways),
            Settings().window_limits(),
            Turns(gateways),
        )
        acceptance = JobAcceptance(storage, store, queue, estimator)

        with pytest.raises(BrokerUnavailable):
            acceptance.accept(upload, SPEC, Reservation(), "default")
    upload.discard()

    assert RedisJobStore(client).exists(job_id) is creates
    assert storage.find(job_id, "source") is not None
