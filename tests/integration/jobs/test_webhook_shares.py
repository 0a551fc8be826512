"""Receivers that hang: nobody else's webhooks wait for them, and their own are not lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
import redis

from service.config import Settings
from service.jobs.job import new_job_id
from service.jobs.store import RedisJobStore
from service.webhooks.deliveries import DeliveryState, DeliveryStore
from service.worker.chores.background import stop_all
from service.worker.chores.open import WEBHOOKS_OF_TENANT, WEBHOOKS_TO_RECEIVER, open_webhooks
from tests.integration.jobs.planned import SPEC
from tests.support.receiver import Receiver, receiver
from tests.support.stack import until

pytestmark = pytest.mark.integration
SETTINGS = Settings(
    webhook_allow_private=True,
    webhook_timeout_s=600.0,  # so that what hangs does so for the whole test
)
MANY = 12
"""Webhooks of one tenant: more than a worker delivers at a time for it."""


@pytest.fixture
def worker(client: redis.Redis) -> Iterator[None]:
    """What a worker has to deliver webhooks."""
    threads = tuple(open_webhooks(SETTINGS, client))
    for thread in threads:
        thread.start()
    yield
    stop_all(threads, 10.0)


@pytest.fixture
def hooks() -> Iterator[list[Receiver]]:
    """Three receivers that hang until they are told to answer."""
    with ExitStack() as stack:
        hooks = [stack.enter_context(receiver()) for _ in range(3)]
        for hook in hooks:
            hook.hold.clear()
        yield hooks


def ended(store: RedisJobStore, hook: Receiver, tenant: str) -> str:
    """A job that has ended, which ``hook`` is to be told."""
    job = store.create(new_job_id(), replace(SPEC, webhook_url=hook.url), tenant=tenant)
    store.cancel(job.id)
    return job.id


def told(hook: Receiver) -> set[str]:
    return {json.loads(request.body)["data"]["id"] for request in hook.received}


@pytest.mark.usefixtures("worker")
def test_a_receiver_that_hangs_delays_nobody_but_itself(
    store: RedisJobStore, client: redis.Redis, hooks: list[Receiver]
) -> None:
    slow, quick, others = hooks
    quick.hold.set()
    others.hold.set()
    waiting = {ended(store, slow, "a") for _ in range(MANY)}
    until(lambda: len(slow.received) == WEBHOOKS_TO_RECEIVER, "the receiver hangs")

    own, foreign = ended(store, quick, "a"), ended(store, others, "b")

    until(lambda: told(quick) == {own}, "another receiver of the same tenant")
    until(lambda: told(others) == {foreign}, "another tenant's")
    assert len(slow.received) == WEBHOOKS_TO_RECEIVER
    slow.hold.set()
    deliveries = DeliveryStore(client)
    until(
        lambda: all(deliveries.of_job(job)[0].state is DeliveryState.DELIVERED for job in waiting),
        "the webhooks that waited",
    )
    assert told(slow) == waiting
    assert len(slow.received) == MANY


@pytest.mark.usefixtures("worker")
def test_a_tenant_whose_receivers_all_hang_leaves_threads_to_others(
    store: RedisJobStore, hooks: list[Receiver]
) -> None:
    for hook in hooks:
        for _ in range(MANY):
            ended(store, hook, "a")
    until(lambda: sum(len(hook.received) for hook in hooks) == WEBHOOKS_OF_TENANT, "its receivers hang")

    with receiver() as other:
        job = ended(store, other, "b")
        until(lambda: told(other) == {job}, "another tenant's webhook")

    assert sum(len(hook.received) for hook in hooks) == WEBHOOKS_OF_TENANT


@pytest.mark.usefixtures("worker")
def test_the_same_address_hangs_for_one_tenant_alone(store: RedisJobStore, hooks: list[Receiver]) -> None:
    shared = hooks[0]
    for _ in range(MANY):
        ended(store, shared, "a")
    until(lambda: len(shared.received) == WEBHOOKS_TO_RECEIVER, "the receiver hangs")

    job = ended(store, shared, "b")

    until(lambda: job in told(shared), "another tenant's webhook to the same server")
