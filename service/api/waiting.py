"""Waits with an answer until a job has ended: many waiters share one reader of the job's events."""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import Query, Request

from service.errors.broker import BrokerUnavailable
from service.errors.limit import TooManyStreams
from service.jobs.event_feeds import EventFeeds
from service.jobs.job import Job, JobStatus
from service.jobs.reader import JobReader

LONGEST_WAIT_S = 60
"""Below what proxies allow for an answer as a rule."""
_PREFERENCE = re.compile(r'(?:^|,)\s*wait\s*=\s*"?(\d{1,9})"?\s*(?=$|[,;])', re.IGNORECASE)

Wait = Annotated[
    int,
    Query(ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the end of the job before answering."),
]


@dataclass(frozen=True)
class JobWaiter:
    """Waits for the jobs of one caller."""

    jobs: JobReader
    feeds: EventFeeds
    tenant: str

    async def ended(self, job_id: str, seconds: int, request: Request) -> Job:
        """Returns a job as soon as it has ended, or as it is after so many seconds, or when its client has left.

        Where too many listen already, it does not wait. Raises JobNotFound and BrokerUnavailable.
        """
        job = await run_sync(self.jobs.get, job_id)
        if not seconds or not job.status.active:
            return job
        ways = {asyncio.create_task(self._end(job.id)), asyncio.create_task(_left(request))}
        try:
            done, _ = await asyncio.wait(ways, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
        for way in done:
            way.result()
        return await run_sync(self.jobs.get, job_id)

    async def _end(self, job_id: str) -> None:
        with suppress(TooManyStreams, BrokerUnavailable):
            listener = await self.feeds.listen(job_id, None, self.tenant)
            try:
                if not (await run_sync(self.jobs.get, job_id)).status.active:
                    return  # It ended before this listened.
                async for event in listener.events():
                    if event and event.type == "status" and not JobStatus(event.fields["status"]).active:
                        return
            finally:
                listener.close()


def preferred_wait(request: Request) -> int | None:
    """Returns the seconds in ``Prefer: wait=N`` (RFC 7240) as far as they are granted; None without one."""
    found = _PREFERENCE.search(",".join(request.headers.getlist("prefer")))
    return min(int(found[1]), LONGEST_WAIT_S) if found else None


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
