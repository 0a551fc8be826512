"""Whose step is begun next, against a real Redis: the order of steps, as workers take them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from threading import Event
from typing import cast

import pytest
import redis

from service.estimates.throughput import Throughput
from service.estimates.turns_before import Claimant, Shares, Waiting, pixels_before
from service.jobs.job import new_job_id
from service.jobs.queue import JobQueue, create_celery
from service.jobs.step_leases import StepLeases
from service.jobs.step_names import SEGMENT_PREFIX, segment_step
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.pipeline.segments import plan_segments
from service.redis_state import key_names
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts.turns import SMALL
from service.worker.runner import StepRunner, Work
from service.worker.tasks import JobSteps, NextSteps
from service.worker.watchdog import Watchdog
from tests.integration.jobs.planned import SPEC, TTL_S, VIDEO
from tests.support.clips import Clip, write_clip
from tests.support.stack import PacedService, paced_stack

pytestmark = pytest.mark.integration

SEGMENT = 16


class Queue:
    """Jobs of tenants whose segments are listed, and a worker that takes steps and finishes them."""

    def __init__(self, client: redis.Redis, weights: dict[str, float] | None = None) -> None:
        self.client = client
        self.store = RedisJobStore(client)
        self.leases = StepLeases(client, "one/first", TTL_S)
        self.turns = Turns(client, weights)
        self.names: dict[str, str] = {}

    def add(
        self,
        name: str,
        frames: int,
        tenant: str = "a",
        preview: bool = False,
        estimated_s: float | None = None,
        cost: float = 1.0,
    ) -> str:
        """Record a job that is planned; its steps wait."""
        job_id, segments = new_job_id(), plan_segments(frames, SEGMENT)
        video = replace(VIDEO, frames=frames)
        spec = replace(SPEC, video=video, preview=preview, estimated_restoring_s=estimated_s, cost=cost)
        self.names[job_id] = name
        self.store.create(job_id, spec, tenant=tenant)
        self.leases.claim(job_id, "plan")
        self.store.begin(job_id)
        self.leases.set_plan(job_id, segments)
        for segment in segments:
            self.turns.offer(job_id, segment_step(segment.index))
        time.sleep(0.002)  # ids are by the millisecond
        return job_id

    def begin(self, at_work: tuple[str, ...] = ()) -> tuple[str, str, str | None] | None:
        """Take and claim a step; returns the name of the job, the step, and the name of the job that gives way."""
        turn = self.turns.take(at_work)
        if turn is None:
            return None
        self.leases.claim(turn.job_id, turn.step)
        return self.names[turn.job_id], turn.step, self.names[turn.beside] if turn.beside else None

    def place(self, job_id: str) -> Waiting:
        """Returns what decides about the turn of a job."""
        job = self.store.get(job_id)
        segments = sum(step.startswith(SEGMENT_PREFIX) for step in self.leases.pending(job_id))
        pixels = SEGMENT * segments * VIDEO.width * VIDEO.height
        claimant = Claimant(job.tenant, job.spec.preview)
        return Waiting(claimant, job.spec.model, pixels, pixels * job.spec.cost, 1.0, job.created_at)

    def drain(self) -> Iterator[str]:
        """Do all steps one after another; yields the name of each one's job, in capitals for its join."""
        while turn := self.turns.take():
            self.leases.claim(turn.job_id, turn.step)
            name = self.names[turn.job_id]
            if turn.step == "finish":
                self.leases.drop(turn.job_id, "finish")
                self.client.hdel(f"cdvd:job:{turn.job_id}:steps", "finish")
                yield name.upper()
                continue
            if self.leases.complete(turn.job_id, turn.step, SEGMENT):
                self.turns.offer(turn.job_id, "finish")
            yield name


@pytest.fixture
def waiting(client: redis.Redis) -> Queue:
    return Queue(client)


def test_one_job_of_a_tenant_does_not_wait_for_fifty_of_another(waiting: Queue) -> None:
    for number in range(50):
        waiting.add(f"a{number}", 48)
    first = [waiting.begin() for _ in range(3)]
    waiting.add("b", 48, tenant="b")

    order = list(waiting.drain())

    assert [step and step[0] for step in first] == ["a0", "a0", "a0"]
    assert order[:4] == ["b", "b", "b", "B"]


def test_tenants_that_come_together_share_alike(waiting: Queue) -> None:
    for number in range(4):
        for tenant in "ab":
            waiting.add(f"{tenant}{number}", 32, tenant=tenant)

    joins = [name for name in waiting.drain() if name.isupper()]

    assert [sorted(name[0] for name in joins[at : at + 2]) for at in (0, 2, 4, 6)] == [["A", "B"]] * 4


def test_tenant_of_twice_the_weight_gets_twice_as_much(client: redis.Redis) -> None:
    waiting = Queue(client, {"b": 2.0})
    for number in range(12):
        for tenant in "ab":
            waiting.add(f"{tenant}{number}", 16, tenant=tenant)

    begun = [name for name in waiting.drain() if name.islower()][:12]

    assert sum(name.startswith("b") for name in begun) == 8


def test_short_job_passes_a_long_one_and_the_long_one_goes_on_after_it(waiting: Queue) -> None:
    waiting.add("long", 480)
    assert waiting.begin() == ("long", "segment:0", None)
    waiting.add("short", 24)

    assert list(waiting.drain())[:4] == ["short", "short", "SHORT", "long"]


@pytest.mark.parametrize(("waited", "first"), [(9, "new"), (11, "old")])
def test_long_job_is_passed_until_it_has_waited_ten_times_its_length(
    waiting: Queue, waited: int, first: str
) -> None:
    old = waiting.add("old", 160)
    waiting.add("new", 16)
    pixels, rate = 96 * 64 * 160, 1000
    Throughput(waiting.client).learn_rate(SPEC.model, "onnx", rate, 1.0)
    waiting.client.hset(f"cdvd:job:{old}", "created_at", time.time() - waited * pixels / rate)

    assert next(waiting.drain()) == first


def test_what_is_measured_meanwhile_changes_no_turn(waiting: Queue) -> None:
    """Jobs that came before and after the first measurement, which may be of a machine that is starved."""
    for number in range(3):
        waiting.add(f"a{number}", 48)
    assert waiting.begin() == ("a0", "segment:0", None)
    Throughput(waiting.client).learn_rate(SPEC.model, "onnx", 10, 1.0)
    waiting.add("b", 10, tenant="b", estimated_s=6000.0)

    assert next(waiting.drain()) == "b"


def test_heavy_model_counts_for_what_it_takes(waiting: Queue) -> None:
    waiting.add("heavy", 16, cost=6.5)
    waiting.add("light", 48)

    assert list(waiting.drain())[:4] == ["light", "light", "light", "LIGHT"]


@pytest.mark.parametrize("seed", range(4))
def test_jobs_that_are_said_to_come_before_a_new_one_do(client: redis.Redis, seed: int) -> None:
    chance, weights = random.Random(seed), {"b": 2.0}
    waiting, made = Queue(client, weights), []
    for number in range(15):
        made.append(
            waiting.add(
                f"job {number}",
                chance.randint(1, 9) * SEGMENT,
                tenant=chance.choice("abc"),
                preview=chance.random() < 0.1,
                cost=chance.choice((1.0, 6.5)),
            )
        )
        if number % 3 == 0:  # so that tenants had something before
            turn = waiting.turns.take()
            assert turn is not None
            waiting.leases.claim(turn.job_id, turn.step)
            waiting.leases.complete(turn.job_id, turn.step, SEGMENT)
    *others, new = (place for place in map(waiting.place, made) if place.pixels)

    said = pixels_before(new, others, Shares(waiting.turns.used(), weights), 0, SMALL)

    begun = [name for name in takewhile(lambda name: name != "job 14", waiting.drain()) if name.islower()]
    assert said.get(SPEC.model, 0) == len(begun) * SEGMENT * VIDEO.width * VIDEO.height


def test_preview_goes_before_everything_and_a_join_before_segments(waiting: Queue) -> None:
    ended = waiting.add("ended", 16)
    assert waiting.begin() == ("ended", "segment:0", None)
    waiting.add("short", 16, tenant="b")
    waiting.add("preview", 32, tenant="a", preview=True)
    assert waiting.leases.complete(ended, "segment:0", 16)
    waiting.turns.offer(ended, "finish")

    assert list(waiting.drain()) == ["ENDED", "preview", "preview", "PREVIEW", "short", "SHORT"]


def test_busy_worker_gets_only_what_its_segment_should_give_way_to(waiting: Queue) -> None:
    long = waiting.add("long", 480)
    assert waiting.begin() == ("long", "segment:0", None)
    assert waiting.begin(at_work=(long,)) is None
    waiting.add("as long", 480, tenant="b")
    assert waiting.begin(at_work=(long,)) is None

    waiting.add("short", 10)
    assert waiting.begin(at_work=(long,)) == ("short", "segment:0", "long")


def test_step_that_was_canceled_done_or_taken_is_passed_over(waiting: Queue) -> None:
    canceled, deleted = waiting.add("canceled", 10), waiting.add("deleted", 11)
    waiting.add("kept", 32)
    waiting.store.cancel(canceled)
    waiting.store.delete(deleted)

    assert [name for name in waiting.drain() if name.islower()] == ["kept", "kept"]
    assert waiting.client.exists(key_names.READY_TENANTS, key_names.ready_jobs("a")) == 0


def test_postponed_step_is_not_listed_before_its_time(waiting: Queue) -> None:
    job_id = waiting.add("job", 16)
    assert waiting.begin() == ("job", "segment:0", None)
    waiting.leases.release(job_id, "segment:0", not_before=time.time() + 60)
    waiting.turns.offer(job_id, "segment:0")
    assert waiting.begin() is None

    waiting.leases.release(job_id, "segment:0")
    waiting.leases.requeue(job_id, "segment:0", waiting.leases.pending(job_id)["segment:0"])
    waiting.turns.offer(job_id, "segment:0")
    assert waiting.begin() == ("job", "segment:0", None)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[PacedService]:
    with paced_stack(tmp_path) as service:
        yield service


def test_short_job_ends_while_the_only_worker_is_in_the_middle_of_a_long_one(
    tmp_path: Path, held: PacedService
) -> None:
    # So large that it does not go first by its age, however slowly the short one is submitted.
    long = held.submit_held(write_clip(tmp_path / "long.mp4", Clip(frames=60, width=640, height=480)))
    held.until_held()
    short = held.submit(write_clip(tmp_path / "short.mp4", Clip(frames=10)))

    held.until_status(short, "succeeded")

    assert held.job(long)["progress"]["frames_done"] == 0
    held.pace.release()
    held.until_status(long, "succeeded")


class _Begun:
    """Stands for the three kinds of work; notes what is begun."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []

    def work(self, step: str) -> Work:
        return lambda job, _touch: self.steps.append((job.id, step))


def test_message_of_an_older_release_brings_its_step(url: str, waiting: Queue) -> None:
    """An older gateway sends a message, and lists nothing."""
    job_id, begun = waiting.add("job", 32), _Begun()
    for key in (key_names.READY_TENANTS, key_names.ready_jobs("a"), JobKeys(job_id).ready):
        waiting.client.delete(key)
    with closing(JobQueue(create_celery(url), waiting.client)) as queue:
        runner = StepRunner(waiting.store, waiting.leases, queue, Watchdog(30.0), Event())
        next_steps = NextSteps(waiting.turns, runner, cast(JobSteps, begun), Event(), lambda: False, queue)

        next_steps.run_one(job_id, "segment:1")
        next_steps.run_one(job_id, "segment:1")

    assert begun.steps == [(job_id, "segment:1")]
