"""A Redis of its own for the tests of one module, and the parts of a worker that use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
import redis

from service.jobs.queue import JobQueue, create_celery
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.local.children import Child, ChildSpec
from service.local.redis_server import find_redis_server, redis_command
from service.redis_state.connection import connect, is_answering
from tests.integration.jobs.planned import TTL_S
from tests.support.stack import until


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
