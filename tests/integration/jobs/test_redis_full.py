"""A Redis that has reached its ``maxmemory`` and evicts nothing: what works, what waits, and what a job takes there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import redis

from service.errors.broker import BrokerFull
from service.jobs.job import Output
from service.jobs.step_leases import StepLeases
from service.jobs.step_names import segment_step
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry, WorkerState
from service.pipeline.segments import plan_segments
from service.redis_state.due import DueList
from service.redis_state.key_names import EXPIRY_DUE, FORGET_DUE
from service.redis_state.scripts.snippets import EVENTS_KEPT
from tests.integration.jobs.planned import SPEC, VIDEO, planned
from tests.support.api_keys import redis_url
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, paced_stack, until

pytestmark = pytest.mark.integration

BASE_BYTES, SEGMENT_BYTES, EVENT_BYTES, KEYS = 12_000, 250, 100, 12
"""What a job takes in Redis at most, as ``docs/scaling.md`` states it."""


@contextmanager
def full(client: redis.Redis) -> Iterator[None]:
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0)


def test_jobs_are_read_canceled_ended_and_deleted(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases
) -> None:
    canceled, ended = planned(store, leases), planned(store, leases)
    for step in ("segment:0", "segment:1"):
        leases.claim(ended.id, step)
    with full(client):
        told = [leases.complete(ended.id, step, 10) for step in ("segment:0", "segment:1")]
        assert store.succeed(ended.id, Output(10, "0" * 64, "mp4", "h264", 20))
        store.cancel(canceled.id)
        assert [job.status for job in store.page().jobs] == ["succeeded", "canceled"]
        for job in (canceled, ended):
            store.delete(job.id)

        assert store.page().jobs == ()
        assert client.keys(f"cdvd:job:{ended.id}*") == []
    assert told == [False, True]


def test_due_lists_and_heartbeats_go_on(client: redis.Redis) -> None:
    expiry, forget = DueList(client, EXPIRY_DUE), DueList(client, FORGET_DUE)
    expiry.add("job", time.time() - 1)
    registry = WorkerRegistry(client)
    with full(client):
        ticket = expiry.take(60)
        assert ticket is not None
        forget.add(ticket.member, time.time() + 60)
        expiry.remove(ticket)
        registry.beat(WorkerState("w", "onnx", (), (), 0), 30)

        assert client.zrange(FORGET_DUE, 0, -1) == ["job"]
        assert [worker.name for worker in registry.alive()] == ["w"]


def test_no_step_is_taken_that_could_not_be_claimed(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases
) -> None:
    job, turns = planned(store, leases), Turns(client)
    turns.offer(job.id, "segment:0")
    with full(client), pytest.raises(BrokerFull):
        turns.take()

    assert turns.listed(job.id) == {"segment:0"}


@pytest.mark.parametrize("segments", [1, 400])
def test_job_takes_no_more_than_its_budget(
    client: redis.Redis, store: RedisJobStore, leases: StepLeases, segments: int
) -> None:
    turns, video = Turns(client), replace(VIDEO, frames=64 * segments)
    job = store.create("0" * 32, replace(SPEC, video=video, webhook_url="https://example.org/" + "h" * 100))
    leases.claim(job.id, "plan")
    store.begin(job.id)
    plan = plan_segments(video.frames, 64)
    leases.set_plan(job.id, plan)
    for segment in plan:
        turns.offer(job.id, segment_step(segment.index))
    most = taken(client)
    for segment in plan:
        leases.claim(job.id, segment_step(segment.index))
        for frames in range(12, 65, 12):
            leases.progress(job.id, segment_step(segment.index), frames, 12, 1.0)
        leases.complete(job.id, segment_step(segment.index), 64)
    store.succeed(job.id, Output(10, "0" * 64, "mp4", "h264", video.frames))

    events = client.xlen(f"cdvd:job:{job.id}:events")
    assert events <= 1.1 * EVENTS_KEPT
    assert max(most, taken(client)) <= BASE_BYTES + SEGMENT_BYTES * segments + EVENT_BYTES * events
    assert len(client.keys(f"cdvd:job:{job.id}*")) <= KEYS


def taken(client: redis.Redis) -> int:
    return sum(int(client.memory_usage(key, samples=0) or 0) for key in client.keys("cdvd:job:*"))


def test_service_waits_for_memory_and_says_so(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=24))
    with paced_stack(tmp_path, {"CDVD_SEGMENT_FRAMES": "12"}) as service:
        done, running = service.submit(clip, model=QUICK), service.submit_held(clip)
        service.until_status(done, "succeeded")
        service.until_held()
        worker = worker_of()
        with redis.Redis.from_url(redis_url(service), decode_responses=True) as client, full(client):
            service.pace.release()
            refused = service.post(clip)
            deleted = service.http.delete(f"/jobs/{done}")
            shown = service.http.get(f"/jobs/{running}")
            log = service.data / "logs" / "worker.log"
            until(lambda: "No step is begun" in log.read_text(), "the worker waits")
            until(lambda: "Messages that were lost are not looked for" in log.read_text(), "Celery's round")

            assert (refused.status_code, refused.json()["code"]) == (503, "broker_full")
            assert int(refused.headers["Retry-After"]) > 0
            assert (deleted.status_code, shown.status_code) == (204, 200)
            assert service.http.get("/readyz").is_success
        service.until_status(running, "succeeded")

        assert worker_of() == worker
        assert "Traceback" not in log.read_text()
        assert "user_script" not in log.read_text()


def worker_of() -> int:
    """The process of the only worker of this process's stack."""
    children = psutil.Process().children()
    return next(child.pid for child in children if "service.worker" in " ".join(child.cmdline()))
