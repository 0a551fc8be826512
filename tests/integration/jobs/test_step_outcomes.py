"""How each outcome of a step ends up in the books, against a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from threading import Event

import pytest

from service.errors.engine import EngineUnavailable
from service.errors.job import JobCanceled
from service.errors.pipeline import PipelineError
from service.jobs.job import Job, JobSpec, JobStatus, SourceFile, new_job_id
from service.jobs.queue import JobQueue, create_celery
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.redis_state.connection import connect
from service.types import ColorTags, EncodeOptions, VideoInfo
from service.worker.runner import FIRST_DELAY_S, MAX_POSTPONED, StepRunner, Touch
from service.worker.watchdog import Watchdog

pytestmark = pytest.mark.integration

VIDEO = VideoInfo("mp4", "h264", 96, 64, 20, 0.8, 25.0, False, 0, 8, ColorTags(1, 1, 1, False), (), ())
SPEC = JobSpec("quick", EncodeOptions(), SourceFile("clip.mp4", 1000, "0" * 64), VIDEO)


class Worker:
    """The parts of a worker around its steps, without Celery."""

    def __init__(self, url: str) -> None:
        client = connect(url)
        client.flushall()
        self.store = RedisJobStore(client)
        self.queue = JobQueue(create_celery(url), client)
        self.leases = StepLeases(client, "one/first", claim_ttl_s=30)
        self.stopping = Event()
        self.runner = StepRunner(self.store, self.leases, self.queue, Watchdog(30.0), self.stopping)
        self.job_id = self.store.create(new_job_id(), SPEC).id

    def run(self, error: Exception | None = None) -> Job:
        """Run the plan step with work that only raises; returns the job afterwards."""

        def work(_job: Job, _touch: Touch) -> None:
            if error:
                raise error

        self.runner.run(self.job_id, "plan", work)
        return self.store.get(self.job_id)


@pytest.fixture
def worker(url: str) -> Iterator[Worker]:
    worker = Worker(url)
    with closing(worker.queue):
        yield worker


def test_deliberate_error_fails_the_job_with_its_code(worker: Worker) -> None:
    job = worker.run(PipelineError("the reason"))

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.detail) == ("restoration_failed", "the reason")


def test_unexpected_error_fails_the_job_instead_of_leaving_it(worker: Worker) -> None:
    job = worker.run(ZeroDivisionError("a fault"))

    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.detail) == (
        "internal_error",
        "The service has a fault (ZeroDivisionError); the log of its worker tells more.",
    )


def test_absent_engine_puts_the_step_off(worker: Worker) -> None:
    job = worker.run(EngineUnavailable("away"))

    word, _, when = worker.leases.pending(job.id)["plan"].partition(" ")
    assert job.status is JobStatus.RUNNING
    assert word == "waiting"
    assert 0 < float(when) - time.time() <= FIRST_DELAY_S
    assert worker.leases.holder(job.id, "plan") is None


def test_engine_that_stays_away_fails_the_job(worker: Worker) -> None:
    jobs = [worker.run(EngineUnavailable("away")) for _ in range(MAX_POSTPONED + 1)]

    assert [job.status for job in jobs[:-1]] == [JobStatus.RUNNING] * MAX_POSTPONED
    assert jobs[-1].error is not None
    assert jobs[-1].error.code == "engine_unavailable"


def test_canceled_step_is_given_back(worker: Worker) -> None:
    worker.store.cancel(worker.job_id)
    job = worker.run(JobCanceled("stopped"))

    assert job.status is JobStatus.CANCELED
    assert worker.leases.holder(job.id, "plan") is None
    assert worker.queue.is_empty()


def test_worker_that_is_stopping_hands_its_step_to_the_next(worker: Worker) -> None:
    worker.stopping.set()

    job = worker.run(JobCanceled("stopped"))

    assert job.status is JobStatus.RUNNING
    assert not worker.queue.is_empty()
    assert worker.leases.claim(job.id, "plan").deliveries == 1
