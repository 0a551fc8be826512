"""Fetched videos that arrive at their jobs more than once: a worker that lost its lease takes nothing from another."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis

from service.config import Settings
from service.errors.job import JobNotFound
from service.estimates.estimate import Estimator
from service.estimates.throughput import Throughput
from service.jobs.job import Job, Order, SourceFile, new_job_id
from service.jobs.queue import JobQueue
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry
from service.redis_state.key_names import SHORT_QUEUE
from service.storage.filesystem import FilesystemStorage, FilesystemUpload
from service.storage.store import SOURCE
from service.submission.acceptance import JobAcceptance
from service.transfers.bookkeeping import Transfers
from tests.integration.jobs.planned import SPEC

pytestmark = pytest.mark.integration


@dataclass
class Arrivals:
    """A job that waits for its video, and the workers that fetch it."""

    client: redis.Redis
    storage_root: Path
    storage: FilesystemStorage
    acceptance: JobAcceptance
    job: Job

    def fetched(self, data: bytes) -> FilesystemUpload:
        """What one worker has just fetched."""
        upload = self.storage.begin_upload(new_job_id(), len(data))
        upload.write(data)
        upload.finish()
        return upload

    def arrive(self, upload: FilesystemUpload, data: bytes) -> None:
        source = SourceFile("clip.mp4", len(data), hashlib.sha256(data).hexdigest())
        self.acceptance.arrive(self.job.id, upload, replace(SPEC, source=source), Transfers(self.client))
        upload.discard()

    def source(self) -> tuple[bytes, str]:
        """The video in storage, and the digest on record."""
        with self.storage.reading(self.job.id, SOURCE) as path:
            return path.read_bytes(), self.acceptance.store.get(self.job.id).spec.source.sha256

    def messages(self) -> int:
        return int(self.client.llen(SHORT_QUEUE))


@pytest.fixture
def arrivals(client: redis.Redis, store: RedisJobStore, queue: JobQueue, tmp_path: Path) -> Arrivals:
    storage, limits = FilesystemStorage(tmp_path), Settings().window_limits()
    estimator = Estimator(Throughput(client), store, WorkerRegistry(client), limits, Turns(client))
    job = store.create(new_job_id(), replace(SPEC, order=Order("https://example.org/clip.mp4", {})))
    return Arrivals(client, tmp_path, storage, JobAcceptance(storage, store, queue, estimator), job)


def expected(data: bytes) -> tuple[bytes, str]:
    return data, hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("late", [b"video", b"another"])
def test_the_second_to_arrive_takes_nothing_from_the_first(arrivals: Arrivals, late: bytes) -> None:
    first, second = arrivals.fetched(b"video"), arrivals.fetched(late)
    arrivals.arrive(first, b"video")
    arrivals.arrive(second, late)

    assert arrivals.source() == expected(b"video")
    assert arrivals.messages() == 1


@pytest.mark.parametrize("again", [b"video", b"another"])
def test_a_worker_that_died_before_it_could_tell_is_followed_by_the_next(
    arrivals: Arrivals, again: bytes
) -> None:
    dead = arrivals.fetched(b"video")
    dead.keep(arrivals.job.id)
    arrivals.arrive(arrivals.fetched(again), again)

    assert arrivals.source() == expected(again)
    assert arrivals.messages() == 1
    dead.discard()
    assert arrivals.source() == expected(again)


def test_nothing_is_left_of_a_video_that_nobody_waits_for(arrivals: Arrivals) -> None:
    store, canceled, deleted = arrivals.acceptance.store, arrivals.fetched(b"1"), arrivals.fetched(b"2")
    store.cancel(arrivals.job.id)
    arrivals.arrive(canceled, b"1")
    assert arrivals.storage.find(arrivals.job.id, SOURCE) is None
    store.delete(arrivals.job.id)
    with pytest.raises(JobNotFound):
        arrivals.arrive(deleted, b"2")
    deleted.discard()
    assert [path.name for path in arrivals.storage_root.rglob("*") if path.is_file()] == []
