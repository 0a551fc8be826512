"""Steps of dead workers and lost messages are queued again, against a real Redis."""

from __future__ import annotations

import time

import pytest
import redis

from service.jobs.claim import ClaimAnswer
from service.jobs.queue import JobQueue
from service.jobs.reconcile import MESSAGE_GRACE_S, Reconciler
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from tests.integration.jobs.planned import TTL_S, crash, planned

pytestmark = pytest.mark.integration


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
    ("later_s", "listed", "waiting_messages", "found"),
    [
        (MESSAGE_GRACE_S - 1, False, 0, 0),
        (MESSAGE_GRACE_S + 1, False, 0, 2),
        (MESSAGE_GRACE_S + 1, False, 1, 2),
        (MESSAGE_GRACE_S + 1, True, 0, 2),
        (MESSAGE_GRACE_S + 1, True, 1, 0),
        (-600, False, 0, 2),  # the clock was set back
        (-600, True, 1, 0),
    ],
)
def test_step_that_was_lost_on_the_way_is_queued_again(
    client: redis.Redis,
    store: RedisJobStore,
    leases: StepLeases,
    queue: JobQueue,
    later_s: float,
    listed: bool,
    waiting_messages: int,
    found: int,
) -> None:
    job = planned(store, leases)
    for step in leases.pending(job.id) if listed else ():
        queue.turns.offer(job.id, step)
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


def test_postponed_step_does_not_wait_for_a_clock_that_was_set_back(
    store: RedisJobStore, leases: StepLeases, queue: JobQueue
) -> None:
    job = planned(store, leases)
    leases.claim(job.id, "segment:0")
    leases.release(job.id, "segment:0", not_before=time.time() + 600)
    queue.turns.offer(job.id, "segment:0")

    assert queue.turns.listed(job.id) == {"segment:0"}
    assert Reconciler(store, leases, queue).run() == 1


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
