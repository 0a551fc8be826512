"""Follows the events of jobs for many listeners: one reader per job in a process, whose events all of them share.

A listener has a position in its job's stream. From where the reader began, it takes events that are kept here; older
ones it reads from Redis itself, a few listeners at a time.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from service.errors.broker import BrokerUnavailable
from service.errors.limit import TooManyStreams
from service.jobs.events import FROM_THE_BEGINNING, Event, EventReader, position
from service.text import plural

RECENT = 256
"""Events of a job that are kept for its listeners; one that falls behind reads from Redis again."""
REREADERS = 32
"""Listeners that read from Redis at a time."""


@dataclass(frozen=True)
class FeedLimits:
    """How many listeners there may be in one process."""

    streams: int = 3000
    per_tenant: int = 2000
    jobs: int = 512
    """Jobs that they follow together; each has a connection to Redis."""
    idle_s: float = 15.0
    """Seconds without an event after which a listener gets None, and whether the job still exists is looked up."""


class EventFeeds:
    """The listeners of one process. For one event loop."""

    def __init__(self, reader: EventReader, limits: FeedLimits) -> None:
        self._reader = reader
        self._limits = limits
        self._feeds: dict[str, _Feed] = {}
        self._tenants: Counter[str] = Counter()
        self._rereading = asyncio.Semaphore(REREADERS)

    async def listen(self, job_id: str, after: str | None, tenant: str) -> Listener:
        """Returns a listener to what comes after an event, or from now on. Its ``close`` must be called.

        Raises TooManyStreams and BrokerUnavailable.
        """
        feed = self._joined(job_id, tenant)
        listener = Listener(self, feed, after or FROM_THE_BEGINNING, tenant)
        try:
            await feed.begun
            if after is None:
                listener.after = feed.latest
        except BaseException:
            listener.close()
            raise
        return listener

    async def read(self, job_id: str, after: str) -> list[Event]:
        """Returns at most 100 events after one. Raises BrokerUnavailable."""
        async with self._rereading:
            return await self._reader.read(job_id, after, wait_s=0)

    async def close(self) -> None:
        """Ends all readers."""
        for feed in tuple(self._feeds.values()):
            feed.stop()
        await self._reader.close()

    def _joined(self, job_id: str, tenant: str) -> _Feed:
        limits = self._limits
        if self._tenants.total() >= limits.streams:
            raise TooManyStreams(f"The service has {limits.streams} event streams open, which is its limit.")
        if self._tenants[tenant] >= limits.per_tenant:
            raise TooManyStreams(
                f"Your tenant has {limits.per_tenant} event streams open, which is its limit."
            )
        feed = self._feeds.get(job_id)
        if feed is None or feed.over:
            if len(self._feeds) >= limits.jobs:
                raise TooManyStreams(f"The service follows {plural(limits.jobs, 'job')}, which is its limit.")
            feed = self._feeds[job_id] = _Feed(self._reader, job_id, limits.idle_s)
        feed.listeners += 1
        self._tenants[tenant] += 1
        return feed

    def _left(self, feed: _Feed, tenant: str) -> None:
        self._tenants[tenant] -= 1
        self._tenants += Counter()
        feed.listeners -= 1
        if not feed.listeners:
            feed.stop()
            if self._feeds.get(feed.job_id) is feed:
                del self._feeds[feed.job_id]


class Listener:
    """Takes the events of a job one after the other, from a position on."""

    def __init__(self, feeds: EventFeeds, feed: _Feed, after: str, tenant: str) -> None:
        self._feeds = feeds
        self._feed = feed
        self._tenant = tenant
        self._closed = False
        self.after = after

    async def events(self) -> AsyncIterator[Event | None]:
        """Yields events as they come, and None when none came for a while; ends when the job was deleted.

        Raises BrokerUnavailable.
        """
        while True:
            changed = self._feed.changed  # before looking, so that nothing that comes meanwhile is missed
            found = await self.pending()
            for event in found:
                self.after = event.id
                yield event
            if found:
                continue
            if self._feed.over:
                self._feed.raise_failure()
                return
            if not await self._feed.waited(changed):
                yield None

    async def pending(self) -> list[Event]:
        """Returns the next events, without waiting; empty where there are none now. Raises BrokerUnavailable."""
        feed = self._feed
        if position(self.after) < position(feed.since):
            since = feed.since
            found = await self._feeds.read(feed.job_id, self.after)
            if found:
                return found
            self.after = max(self.after, since, key=position)
        return [event for event in feed.recent if position(event.id) > position(self.after)]

    def close(self) -> None:
        """Frees the place of this listener. May be called twice."""
        if not self._closed:
            self._closed = True
            self._feeds._left(self._feed, self._tenant)


class _Feed:
    """Reads the events of one job while anybody listens."""

    def __init__(self, reader: EventReader, job_id: str, idle_s: float) -> None:
        self.job_id = job_id
        self.listeners = 0
        self.since = "0-0"
        """Events after this one are in ``recent``."""
        self.recent: deque[Event] = deque()
        self.over = False
        self.changed = asyncio.Event()
        """Set, and replaced, when there is news."""
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: BrokerUnavailable | None = None
        self._idle_s = idle_s
        self._task = asyncio.create_task(self._follow(reader))

    @property
    def latest(self) -> str:
        """The id of the latest event that was read."""
        return self.recent[-1].id if self.recent else self.since

    def stop(self) -> None:
        self._task.cancel()

    def raise_failure(self) -> None:
        """Raises BrokerUnavailable if that ended the feed, rather than the end of the job."""
        if self._failure is not None:
            raise self._failure

    async def waited(self, changed: asyncio.Event) -> bool:
        """Returns whether there was news within the time after which a listener is told that there is none."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._idle_s):
                await changed.wait()
        return changed.is_set()

    async def _follow(self, reader: EventReader) -> None:
        try:
            self.since = await reader.last_id(self.job_id)
            self.begun.set_result(None)
            last = self.since
            while True:
                events = await reader.read(self.job_id, last, self._idle_s)
                if events:
                    last = events[-1].id
                    self._take(events)
                elif not await reader.exists(self.job_id):
                    break
        except BrokerUnavailable as error:
            self._failure = error
            if not self.begun.done():
                self.begun.set_exception(error)
                self.begun.exception()  # Its listeners may be gone.
        self.over = True
        self._tell()

    def _take(self, events: list[Event]) -> None:
        self.recent.extend(events)
        while len(self.recent) > RECENT:
            self.since = self.recent.popleft().id
        self._tell()

    def _tell(self) -> None:
        told, self.changed = self.changed, asyncio.Event()
        told.set()
