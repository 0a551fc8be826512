"""Many listeners to the events of jobs, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
import redis

from service.errors.broker import BrokerUnavailable
from service.errors.limit import TooManyStreams
from service.jobs.event_feeds import RECENT, EventFeeds, FeedLimits, Listener
from service.jobs.events import FROM_THE_BEGINNING, EventReader
from service.jobs.job import new_job_id
from service.jobs.store import RedisJobStore
from service.redis_state.key_names import JobKeys
from tests.integration.jobs.planned import SPEC

pytestmark = pytest.mark.integration

TENANT = "default"


@pytest.fixture
def job_id(store: RedisJobStore) -> str:
    """A queued job, whose stream has one event."""
    return store.create(new_job_id(), SPEC).id


def tell(client: redis.Redis, job_id: str, *numbers: int) -> None:
    for number in numbers:
        client.xadd(JobKeys(job_id).events, {"type": "progress", "frames_done": number})


@asynccontextmanager
async def opened(url: str, **limits: Any) -> AsyncIterator[EventFeeds]:
    feeds = EventFeeds(EventReader(url), FeedLimits(**limits))
    try:
        yield feeds
    finally:
        await feeds.close()


async def numbers(listener: Listener, count: int) -> list[str]:
    found = []
    async for event in listener.events():
        if event is not None:
            found.append(event.fields.get("frames_done", "-"))
        if len(found) == count:
            break
    return found


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 240))


def test_all_listeners_hear_all_events_over_one_connection(
    url: str, client: redis.Redis, job_id: str
) -> None:
    async def scenario() -> None:
        before = len(client.client_list())
        async with opened(url) as feeds:
            tell(client, job_id, 1)
            listeners = [await feeds.listen(job_id, FROM_THE_BEGINNING, TENANT) for _ in range(500)]
            tasks = [asyncio.create_task(numbers(one, 4)) for one in listeners]
            await asyncio.sleep(0)
            await asyncio.to_thread(tell, client, job_id, 2, 3)

            assert set(map(tuple, await asyncio.gather(*tasks))) == {("-", "1", "2", "3")}
            assert len(client.client_list()) - before <= 1 + 32

    run(scenario)


def test_a_listener_goes_on_after_the_event_that_it_names(url: str, client: redis.Redis, job_id: str) -> None:
    async def scenario() -> None:
        tell(client, job_id, 1, 2, 3)
        ids: Any = client.xrange(JobKeys(job_id).events)
        async with opened(url) as feeds:
            listener = await feeds.listen(job_id, ids[2][0], TENANT)
            await asyncio.to_thread(tell, client, job_id, 4)
            assert await numbers(listener, 2) == ["3", "4"]

    run(scenario)


def test_one_that_falls_behind_what_is_kept_misses_nothing(
    url: str, client: redis.Redis, job_id: str
) -> None:
    async def scenario() -> None:
        async with opened(url) as feeds:
            slow = await feeds.listen(job_id, FROM_THE_BEGINNING, TENANT)
            quick = await feeds.listen(job_id, FROM_THE_BEGINNING, TENANT)
            await asyncio.to_thread(tell, client, job_id, *range(RECENT + 50))
            expected = ["-", *map(str, range(RECENT + 50))]
            assert await numbers(quick, len(expected)) == expected
            assert await numbers(slow, len(expected)) == expected

    run(scenario)


def test_listeners_end_with_their_job(url: str, store: RedisJobStore, job_id: str) -> None:
    async def scenario() -> None:
        async with opened(url, idle_s=0.05) as feeds:
            listener = await feeds.listen(job_id, FROM_THE_BEGINNING, TENANT)
            await asyncio.to_thread(store.delete, job_id)
            told = [event async for event in listener.events()]
            assert {event.type for event in told if event} <= {"status"}

    run(scenario)


@pytest.mark.parametrize(
    "limits", [{"streams": 2}, {"per_tenant": 2}, {"jobs": 2}], ids=lambda limits: next(iter(limits))
)
def test_limits_refuse_before_anything_is_sent_and_free_places_again(
    url: str, store: RedisJobStore, limits: dict[str, int]
) -> None:
    jobs = [store.create(new_job_id(), SPEC).id for _ in range(3)]

    async def scenario() -> None:
        async with opened(url, **limits) as feeds:
            first, _ = [await feeds.listen(job, FROM_THE_BEGINNING, TENANT) for job in jobs[:2]]
            with pytest.raises(TooManyStreams):
                await feeds.listen(jobs[2], FROM_THE_BEGINNING, TENANT)
            first.close()
            first.close()
            await feeds.listen(jobs[2], FROM_THE_BEGINNING, TENANT)

    run(scenario)


def test_a_tenant_leaves_places_to_others(url: str, job_id: str) -> None:
    async def scenario() -> None:
        async with opened(url, per_tenant=1) as feeds:
            await feeds.listen(job_id, FROM_THE_BEGINNING, "one")
            with pytest.raises(TooManyStreams, match="tenant"):
                await feeds.listen(job_id, FROM_THE_BEGINNING, "one")
            await feeds.listen(job_id, FROM_THE_BEGINNING, "another")

    run(scenario)


def test_without_redis_nobody_is_let_in_and_the_next_one_may_try_again(tmp_path: Any, job_id: str) -> None:
    async def scenario() -> None:
        async with opened(f"unix://{tmp_path}/nobody.sock") as feeds:
            for _ in range(2):
                with pytest.raises(BrokerUnavailable):
                    await feeds.listen(job_id, FROM_THE_BEGINNING, TENANT)
            assert not feeds._tenants

    run(scenario)


def test_listeners_learn_that_their_connection_broke(url: str, client: redis.Redis, job_id: str) -> None:
    async def scenario() -> None:
        async with opened(url) as feeds:
            listener = await feeds.listen(job_id, FROM_THE_BEGINNING, TENANT)

            async def listen() -> None:
                async for _ in listener.events():
                    pass

            task = asyncio.create_task(listen())
            while not task.done():
                with suppress(redis.RedisError):
                    client.client_kill_filter(_type="normal", skipme=True)
                await asyncio.sleep(0.05)
            assert isinstance(task.exception(), BrokerUnavailable)

    run(scenario)
