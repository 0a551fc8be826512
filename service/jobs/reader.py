"""Reads jobs from Redis: single ones, pages of them, and how many there are."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import redis

from service.errors.job import JobNotFound
from service.jobs.job import JOB_ID, Job, JobStatus
from service.jobs.record import read_job
from service.redis_state import key_names
from service.redis_state.connection import broker_errors, texts
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts import jobs as scripts

LOOKED_AT_ONCE = 100
LOOKED_AT = 1000
"""Jobs that one filtered page reads at most, so that no question holds a gateway up."""


@dataclass(frozen=True)
class JobPage:
    """Jobs, newest first, and the cursor of the next page; the last page has none."""

    jobs: tuple[Job, ...]
    cursor: str | None


class JobReader:
    """Reads jobs of all tenants, or of one. Every method raises BrokerUnavailable when Redis cannot be reached."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._snapshot = client.register_script(scripts.READ)
        self._tenant: str | None = None

    def of(self, tenant: str) -> Self:
        """Returns a view that knows the jobs of one tenant and no others."""
        view = copy.copy(self)
        view._tenant = tenant
        return view

    def get(self, job_id: str) -> Job:
        """Returns the job as it is now. Raises JobNotFound, also for text that cannot be an id."""
        found = self._read([job_id]) if JOB_ID.fullmatch(job_id) else ()
        if not found:
            raise JobNotFound(f"There is no job {job_id[:64]!r}.")
        return found[0]

    def page(
        self,
        status: JobStatus | None = None,
        limit: int = 20,
        cursor: str | None = None,
        wanted: Callable[[Job], bool] | None = None,
    ) -> JobPage:
        """Returns up to ``limit`` jobs that are older than ``cursor``, newest first.

        ``wanted`` leaves jobs out. A page then looks at ``LOOKED_AT`` jobs at most: it may have fewer than ``limit``,
        even none, and still a cursor.
        """
        if wanted is None:
            return self._next(status, limit, cursor)
        found: list[Job] = []
        for _ in range(LOOKED_AT // LOOKED_AT_ONCE):
            page = self._next(status, LOOKED_AT_ONCE, cursor)
            found += filter(wanted, page.jobs)
            if len(found) > limit:
                return JobPage(tuple(found[:limit]), found[limit - 1].id)
            if page.cursor is None:
                return JobPage(tuple(found), None)
            cursor = page.cursor
        return JobPage(tuple(found), cursor)

    def _next(self, status: JobStatus | None, limit: int, cursor: str | None) -> JobPage:
        newest = f"({cursor}" if cursor else "+"
        with broker_errors():
            ids = texts(self._redis.zrevrangebylex(self._index(status), newest, "-", start=0, num=limit + 1))
        jobs = self._read(ids[:limit])
        return JobPage(jobs, ids[limit - 1] if len(ids) > limit else None)

    def active(self) -> list[str]:
        """Returns the ids of all queued and running jobs of all tenants, oldest first."""
        with broker_errors():
            running = self._redis.zrange(key_names.jobs_with(JobStatus.RUNNING), 0, -1)
            queued = self._redis.zrange(key_names.jobs_with(JobStatus.QUEUED), 0, -1)
        return sorted({*running, *queued})

    def counts(self) -> dict[JobStatus, int]:
        """Returns how many jobs of all tenants are on record in each state."""
        with broker_errors():
            return {status: int(self._redis.zcard(key_names.jobs_with(status))) for status in JobStatus}

    def exists(self, job_id: str) -> bool:
        """Returns whether any tenant has the job."""
        with broker_errors():
            return bool(self._redis.exists(JobKeys(job_id).record))

    def is_running(self, job_id: str) -> bool:
        """Returns whether work on the job is still wanted. Workers ask between windows, so this is one small call."""
        with broker_errors():
            return bool(self._redis.hget(JobKeys(job_id).record, "status") == JobStatus.RUNNING.value)

    def _index(self, status: JobStatus | None) -> str:
        if self._tenant is not None:
            return key_names.jobs_of(self._tenant, status)
        return key_names.jobs_with(status) if status else key_names.ALL_JOBS

    def _read(self, ids: list[str]) -> tuple[Job, ...]:
        """Returns snapshots of those ids that have a record, in their order, in one round trip."""
        names = [JobKeys(job_id) for job_id in ids]
        with broker_errors():
            rows = self._snapshot(keys=[key for job in names for key in (job.record, job.frames, job.steps)])
        jobs = (
            read_job(job_id, dict(zip(record[::2], record[1::2], strict=True)), frames, states)
            for job_id, (record, frames, states) in zip(ids, rows, strict=True)
            if record
        )
        return tuple(job for job in jobs if self._tenant in (None, job.tenant))
