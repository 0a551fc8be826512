"""Jobs in Redis: records, changes, pages, and what a deleted job leaves."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from service.errors.broker import BrokerUnavailable
from service.errors.job import JobNotFound, JobStateConflict
from service.jobs.claim import ClaimAnswer
from service.jobs.job import EtaReason, Failure, Job, JobStatus, Stage, new_job_id
from service.jobs.queue import JobQueue, create_celery
from service.jobs.reader import LOOKED_AT
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry, WorkerState
from service.redis_state.connection import connect
from service.redis_state.key_names import JobKeys
from tests.integration.jobs.planned import PLAN, SPEC, TTL_S, planned

pytestmark = pytest.mark.integration


def test_job_is_read_as_it_was_written(store: RedisJobStore) -> None:
    job = store.create(new_job_id(), SPEC)

    assert store.get(job.id) == job
    assert (job.spec, job.status, job.progress.stage) == (SPEC, JobStatus.QUEUED, Stage.QUEUED)
    assert job.progress.frames_total == 20


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
    assert 0 <= progress.eta_s <= 2.5  # it ticks down
    assert progress.eta_reason is None


def test_the_end_is_said_later_only_for_a_reason(store: RedisJobStore, leases: StepLeases) -> None:
    job = store.create(new_job_id(), replace(SPEC, estimated_s=40.0, estimated_restoring_s=40.0))
    store.begin(job.id)
    leases.set_plan(job.id, PLAN)
    leases.claim(job.id, "segment:0")
    first = store.get(job.id).progress
    assert 30 < first.eta_s <= 40
    assert first.eta_reason is None

    leases.progress(
        job.id, "segment:0", 2, 2, 6.0
    )  # the first window is slow: 18 frames would take 54 seconds
    second = store.get(job.id).progress
    assert (second.eta_s <= first.eta_s, second.eta_reason) == (True, None)

    leases.progress(job.id, "segment:0", 10, 30, 300.0)  # it really is
    third = store.get(job.id).progress
    assert third.eta_s > 60
    assert third.eta_reason is EtaReason.SLOWER

    leases.progress(job.id, "segment:0", 10, 100, 1.0)
    fourth = store.get(job.id).progress
    assert (fourth.eta_s < third.eta_s, fourth.eta_reason) == (True, None)

    leases.release(job.id, "segment:0", wanting="space")
    assert store.get(job.id).progress.eta_reason is EtaReason.WAITING_FOR_SPACE


def test_a_job_without_a_worker_waits_for_its_turn(store: RedisJobStore, leases: StepLeases) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    leases.progress(job.id, "segment:0", 5, 5, 5.0)
    leases.release(job.id, "segment:0")
    progress = store.get(job.id).progress
    assert (progress.eta_s, progress.eta_reason) == (pytest.approx(15.0), EtaReason.WAITING_FOR_TURN)


def test_a_planned_job_that_no_worker_has_begun_waits_for_its_turn(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases
) -> None:
    job = store.create(new_job_id(), replace(SPEC, estimated_s=40.0, estimated_restoring_s=10.0))
    store.begin(job.id)
    leases.set_plan(job.id, PLAN)
    client.hset(JobKeys(job.id).record, "started_at", time.time() - 5)
    waiting = store.get(job.id).progress
    assert waiting.eta_s > 30
    assert waiting.eta_reason is EtaReason.WAITING_FOR_TURN

    leases.claim(job.id, "segment:0")
    assert store.get(job.id).progress.eta_reason is None


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


def test_a_filtered_page_looks_at_so_many_jobs_and_says_where_to_go_on(store: RedisJobStore) -> None:
    rare = min(store.create(new_job_id(), SPEC).id for _ in range(LOOKED_AT + 1))

    def wanted(job: Job) -> bool:
        return job.id == rare

    first = store.page(wanted=wanted)

    assert (first.jobs, first.cursor is None) == ((), False)
    second = store.page(cursor=first.cursor, wanted=wanted)
    assert ([job.id for job in second.jobs], second.cursor) == ([rare], None)


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
