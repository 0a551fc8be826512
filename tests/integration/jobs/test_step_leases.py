"""Steps are leased to one worker at a time, against a real Redis."""

from __future__ import annotations

import pytest
import redis

from service.jobs.claim import ClaimAnswer
from service.jobs.job import Stage
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from tests.integration.jobs.planned import planned

pytestmark = pytest.mark.integration


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
