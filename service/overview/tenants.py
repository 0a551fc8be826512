"""Sums up what each tenant waits for, for operators."""

from __future__ import annotations

import time
from dataclasses import dataclass

import redis

from service.jobs.job import JobStatus
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.scripts import overview

LOOKED_AT = 2000
"""Queued and running jobs that are summed up, of each the oldest; more would hold Redis up."""


@dataclass(frozen=True)
class TenantWork:
    """The active jobs of one tenant."""

    tenant: str
    running: int
    waiting: int
    frames_left: int
    oldest_wait_s: float | None
    """Seconds since the oldest waiting job was submitted; None where none waits."""


class TenantWorks:
    """Reads the work of all tenants from Redis, in one call."""

    def __init__(self, client: redis.Redis) -> None:
        self._sum_up = client.register_script(overview.SUM_UP)

    def all(self) -> tuple[TenantWork, ...]:
        """Returns the tenants with active jobs, those with most frames left first. Raises BrokerUnavailable."""
        indexes = [key_names.jobs_with(status) for status in (JobStatus.RUNNING, JobStatus.QUEUED)]
        with broker_errors():
            rows = self._sum_up(keys=indexes, args=[LOOKED_AT])
        now = time.time()
        works = [
            TenantWork(str(name), running, waiting, left, max(0.0, now - float(oldest)) if oldest else None)
            for name, running, waiting, left, oldest in rows
        ]
        return tuple(sorted(works, key=lambda work: (-work.frames_left, work.tenant)))
