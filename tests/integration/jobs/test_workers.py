"""Which workers count as capacity, by their heartbeats in a real Redis."""

from __future__ import annotations

import pytest
import redis

from service.config import Settings
from service.estimates.estimate import Estimator
from service.estimates.throughput import Throughput
from service.estimates.turns_before import Claimant
from service.estimates.workload import Workload
from service.jobs.store import RedisJobStore
from service.jobs.turns import Turns
from service.jobs.workers import WorkerRegistry, WorkerState

pytestmark = pytest.mark.integration

VIDEO = Workload("lite", 100, 100, 1000)
RATE = 10_000.0
"""Pixels per second: a frame of it."""


@pytest.fixture
def registry(client: redis.Redis) -> WorkerRegistry:
    found = WorkerRegistry(client)
    for name in ("a", "b", "c"):
        beat(found, name)
    return found


def beat(registry: WorkerRegistry, name: str, stopping: bool = False) -> None:
    state = WorkerState(name, "onnx", ("lite",), ("lite",), 1, stopping=stopping)
    registry.beat(state, ttl_s=600)


def names(registry: WorkerRegistry) -> list[str]:
    return [state.name for state in registry.working()]


def test_workers_that_drain_or_end_do_not_begin_steps(registry: WorkerRegistry) -> None:
    assert names(registry) == ["a", "b", "c"]
    registry.drain("a")
    beat(registry, "b", stopping=True)
    assert names(registry) == ["c"]
    assert len(registry.alive()) == 3
    registry.undrain("a")
    assert names(registry) == ["a", "c"]


def test_a_worker_that_drains_does_not_make_estimates_shorter(
    registry: WorkerRegistry, client: redis.Redis, store: RedisJobStore
) -> None:
    throughput = Throughput(client)
    throughput.learn_rate("lite", "onnx", pixels=int(RATE), seconds=1.0)
    estimator = Estimator(throughput, store, registry, Settings().window_limits(), Turns(client))
    claimant = Claimant("default", preview=False)

    assert estimator.estimate(VIDEO, claimant).restoring_s == pytest.approx(1000 / 3)
    registry.drain("a")
    assert estimator.estimate(VIDEO, claimant).restoring_s == pytest.approx(1000 / 2)
