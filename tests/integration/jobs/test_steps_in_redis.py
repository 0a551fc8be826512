"""Claims, finished steps, lost messages and crashes, against a real Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis

from service.errors.broker import BrokerUnavailable
from service.errors.job import JobNotFound, JobStateConflict
from service.jobs.claim import ClaimAnswer
from service.jobs.job import Failure, Job, JobSpec, JobStatus, SourceFile, Stage, new_job_id
from service.jobs.queue import JobQueue, create_celery
from service.jobs.reconcile import MESSAGE_GRACE_S, MESSAGE_LOST_S, Reconciler
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry, WorkerState
from service.local.children import Child, ChildSpec
from service.local.redis_server import find_redis_server, redis_command
from service.redis_state.connection import connect, is_answering
from service.types import ColorTags, EncodeOptions, Segment, VideoInfo
from tests.support.stack import until

pytestmark = pytest.mark.integration

TTL_S = 30
VIDEO = VideoInfo("mp4", "h264", 96, 64, 20, 0.8, 25.0, False, 0, 8, ColorTags(1, 1, 1, False), ("aac",), ())
SPEC = JobSpec("quick", EncodeOptions(), SourceFile("clip.mp4", 1000, "0" * 64), VIDEO)
PLAN = (Segment(0, 0, 10), Segment(1, 10, 20))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("redis")
    socket = directory / "redis.sock"
    command = redis_command(find_redis_server(), directory, socket)
    child = Child(ChildSpec("redis", command, directory / "redis.log"))
    child.start()
    try:
        until(lambda: is_answering(f"unix://{socket}?db=0"), "Redis answers")
        yield f"unix://{socket}?db=0"
    finally:
        child.stop()


@pytest.fixture
def client(url: str) -> Iterator[redis.Redis]:
    with connect(url) as client:
        client.flushall()
        yield client


@pytest.fixture
def store(client: redis.Redis) -> RedisJobStore:
    return RedisJobStore(client)


@pytest.fixture
def queue(url: str, client: redis.Redis) -> Iterator[JobQueue]:
    with closing(JobQueue(create_celery(url), client)) as queue:
        yield queue


@pytest.fixture
def leases(client: redis.Redis) -> StepLeases:
    return StepLeases(client, "one/first", TTL_S)


@pytest.fixture
def other(client: redis.Redis) -> StepLeases:
    """Another worker's view."""
    return StepLeases(client, "two/first", TTL_S)


def planned(store: RedisJobStore, leases: StepLeases) -> Job:
    """A running job with two queued segments."""
    job = store.create(new_job_id(), SPEC)
    leases.claim(job.id, "plan")
    store.begin(job.id)
    leases.set_plan(job.id, PLAN)
    return store.get(job.id)


def crash(client: redis.Redis, job: Job, step: str) -> None:
    """What the death of a worker looks like once its claim has expired."""
    client.delete(f"cdvd:job:{job.id}:claim:{step}")


def test_job_is_read_as_it_was_written(store: RedisJobStore) -> None:
    job = store.create(new_job_id(), SPEC)

    assert store.get(job.id) == job
    assert (job.spec, job.status, job.progress.stage) == (SPEC, JobStatus.QUEUED, Stage.QUEUED)
    assert job.progress.frames_total == 20


def test_claimed_step_is_nobody_elses_until_released(
    store: RedisJobStore, leases: StepLeases, other: StepLeases
) -> None:
    job = planned(store, leases)

    assert leases.claim(job.id, "segment:0").answer is ClaimAnswer.GRANTED
    assert other.claim(job.id, "segment:0").answer is ClaimAnswer.HELD
    assert other.claim(job.id, "segment:1").answer is ClaimAnswer.GRANTED
    leases.release(job.id, "segment:0")
    assert other.claim(job.id, "segment:0").answer is ClaimAnswer.GRANTED


def test_finished_step_is_not_granted_again(store: RedisJobStore, leases: StepLeases) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    leases.complete(job.id, "segment:0", 10)

    assert leases.claim(job.id, "segment:0").answer is ClaimAnswer.DONE
    assert leases.claim(job.id, "plan").answer is ClaimAnswer.DONE


def test_exactly_one_caller_is_told_to_finish(
    store: RedisJobStore, leases: StepLeases, other: StepLeases
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    other.claim(job.id, "segment:1")

    told = [
        leases.complete(job.id, "segment:0", 10),
        other.complete(job.id, "segment:1", 10),
        other.complete(job.id, "segment:1", 10),
    ]

    assert told == [False, True, False]
    assert list(leases.pending(job.id)) == ["finish"]
    assert store.get(job.id).progress.stage is Stage.JOINING


def test_nothing_of_a_deleted_job_comes_back(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    store.delete(job.id)

    leases.progress(job.id, "segment:0", 5, 5, 1.0)
    leases.complete(job.id, "segment:0", 10)
    leases.set_plan(job.id, PLAN)
    leases.release(job.id, "segment:0")
    store.fail(job.id, Failure("x", "y"))

    assert client.keys(f"*{job.id}*") == []
    assert store.page().jobs == ()
    with pytest.raises(JobNotFound):
        store.get(job.id)


def test_estimate_is_the_measured_rate_times_the_workers(
    store: RedisJobStore, leases: StepLeases, other: StepLeases
) -> None:
    job = planned(store, leases)
    for worker, step in ((leases, "segment:0"), (other, "segment:1")):
        worker.claim(job.id, step)
        worker.progress(job.id, step, 5, 5, 2.5)

    progress = store.get(job.id).progress

    assert (progress.frames_done, progress.fraction) == (10, 0.5)
    assert progress.frames_per_second == pytest.approx(4.0)
    assert progress.eta_s == pytest.approx(2.5)


def test_step_of_a_dead_worker_is_queued_again(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases, queue: JobQueue
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    reconciler = Reconciler(store, leases, queue)

    assert reconciler.run() == 0
    crash(client, job, "segment:0")
    assert reconciler.run() == 1
    assert reconciler.run() == 0
    assert client.llen("cdvd.segments") == 1


def test_restarted_worker_takes_over_its_own_claims_at_once(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases, other: StepLeases, queue: JobQueue
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    other.claim(job.id, "segment:1")
    reborn = StepLeases(client, "one/second", TTL_S)

    assert Reconciler(store, reborn, queue).run() == 1
    assert reborn.claim(job.id, "segment:0").answer is ClaimAnswer.GRANTED
    assert reborn.claim(job.id, "segment:1").answer is ClaimAnswer.HELD


@pytest.mark.parametrize(
    ("later_s", "waiting_messages", "found"),
    [
        (MESSAGE_GRACE_S - 1, 0, 0),
        (MESSAGE_GRACE_S + 1, 0, 2),
        (MESSAGE_GRACE_S + 1, 1, 0),
        (MESSAGE_LOST_S + 1, 1, 2),
    ],
)
def test_lost_message_is_sent_again_once_it_is_surely_lost(
    client: redis.Redis,
    store: RedisJobStore,
    leases: StepLeases,
    queue: JobQueue,
    later_s: float,
    waiting_messages: int,
    found: int,
) -> None:
    planned(store, leases)
    for _ in range(waiting_messages):
        client.lpush("cdvd.segments", "another job's")

    reconciler = Reconciler(store, leases, queue, clock=lambda: time.time() + later_s)

    assert reconciler.run() == found


def test_postponed_step_waits_for_its_time(store: RedisJobStore, leases: StepLeases, queue: JobQueue) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    leases.release(job.id, "segment:0", not_before=time.time() + 5)

    assert Reconciler(store, leases, queue).run() == 0
    assert Reconciler(store, leases, queue, clock=lambda: time.time() + 6).run() == 1


def test_beginnings_that_never_came_back_are_counted(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases, queue: JobQueue
) -> None:
    job = planned(store, leases)
    reconciler = Reconciler(store, leases, queue)
    claims = []
    for step in ("segment:0", "segment:1", "segment:0"):
        claims.append(leases.claim(job.id, step))
        crash(client, job, step)
        reconciler.run()

    assert [(claim.deliveries, claim.crashes) for claim in claims] == [(1, 0), (1, 1), (2, 2)]
    leases.claim(job.id, "segment:1")
    leases.complete(job.id, "segment:1", 10)
    assert leases.claim(job.id, "segment:0").crashes == 0


def test_worker_that_leaves_in_good_order_is_not_a_crash(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases, queue: JobQueue
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    leases.forgive(job.id, "segment:0")
    crash(client, job, "segment:0")
    Reconciler(store, leases, queue).run()

    claim = leases.claim(job.id, "segment:0")

    assert (claim.deliveries, claim.crashes) == (1, 0)


def test_claim_lives_as_long_as_it_is_renewed(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    key = f"cdvd:job:{job.id}:claim:segment:0"
    client.expire(key, 1)

    assert leases.renew(job.id, "segment:0")
    assert client.ttl(key) > 1
    client.set(key, "two/first")
    assert not leases.renew(job.id, "segment:0")


def test_canceled_job_grants_nothing_and_a_retry_keeps_what_is_done(
    store: RedisJobStore, leases: StepLeases
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    leases.complete(job.id, "segment:0", 10)
    store.cancel(job.id)

    assert leases.claim(job.id, "segment:1").answer is ClaimAnswer.STOPPED
    assert not store.is_running(job.id)
    assert store.retry(job.id) == ("segment:1",)
    assert leases.claim(job.id, "segment:1").answer is ClaimAnswer.GRANTED


def test_impossible_changes_are_conflicts(store: RedisJobStore, leases: StepLeases) -> None:
    job = planned(store, leases)

    with pytest.raises(JobStateConflict, match="running"):
        store.retry(job.id)
    store.fail(job.id, Failure("restoration_failed", "reason"))
    assert not store.fail(job.id, Failure("other", "a later failure does not replace the first"))
    assert store.get(job.id).error == Failure("restoration_failed", "reason")
    with pytest.raises(JobStateConflict, match="failed"):
        store.cancel(job.id)


def test_pages_go_on_where_the_last_ended_even_if_its_job_was_deleted(store: RedisJobStore) -> None:
    ids = sorted(store.create(new_job_id(), SPEC).id for _ in range(5))
    first = store.page(limit=2)
    store.delete(ids[-2])

    second = store.page(limit=2, cursor=first.cursor)

    assert [job.id for job in (*first.jobs, *second.jobs)] == [ids[4], ids[3], ids[2], ids[1]]
    assert [job.id for job in store.page(JobStatus.QUEUED, limit=9).jobs] == [ids[4], ids[2], ids[1], ids[0]]


def test_silent_worker_is_forgotten(client: redis.Redis) -> None:
    registry = WorkerRegistry(client)
    state = WorkerState("one", "onnxruntime", ("quick",), ("quick", "slow"), 1)
    registry.beat(state, TTL_S)

    assert registry.alive() == (state,)
    client.delete("cdvd:worker:one")
    assert registry.alive() == ()
    assert client.zcard("cdvd:workers") == 0


def test_absent_redis_is_one_error_everywhere(tmp_path: Path) -> None:
    url = f"unix://{tmp_path}/none.sock?db=0"
    with connect(url) as client:
        store, leases = RedisJobStore(client), StepLeases(client, "one/first", TTL_S)
        queue = JobQueue(create_celery(url), client)
        attempts = (
            lambda: store.page(),
            lambda: store.create(new_job_id(), SPEC),
            lambda: leases.claim("0" * 32, "plan"),
            lambda: queue.enqueue("0" * 32, "plan"),
            lambda: WorkerRegistry(client).alive(),
        )
        for attempt in attempts:
            with pytest.raises(BrokerUnavailable):
                attempt()
        queue.close()
