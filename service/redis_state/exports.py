"""What is asked for of finished jobs, and how far it is: videos of an upload beside its result."""

from __future__ import annotations

import time

import redis

from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.due import DueList
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts.jobs import COUNT_EXPORT

SAID_S = 60
"""Seconds for which a worker's word counts; it is repeated as long as the worker is at it."""
FAILED = "failed"


class SideBySideExports:
    """Asks workers for videos, and tells how far they are. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._count = client.register_script(COUNT_EXPORT)
        self.due = DueList(client, key_names.SIDE_BY_SIDE_DUE)

    def ask(self, job_id: str) -> int | None:
        """Has some worker make the video, unless one is at it; returns how many frames are done, None if it failed."""
        with broker_errors():
            said = self._redis.get(key_names.side_by_side(job_id))
            waits = self._redis.zscore(key_names.SIDE_BY_SIDE_DUE, job_id)
        if said == FAILED:
            return None
        if waits is None:
            self.due.add(job_id, time.time())
        return int(said or 0)

    def say(self, job_id: str, frames: int) -> None:
        """Says how many frames are done."""
        with broker_errors():
            self._redis.set(key_names.side_by_side(job_id), frames, ex=SAID_S)

    def fail(self, job_id: str) -> None:
        """Says that the video cannot be made; it may be asked for again a little later."""
        with broker_errors():
            self._redis.set(key_names.side_by_side(job_id), FAILED, ex=SAID_S)

    def made(self, job_id: str, size: int) -> None:
        """Counts the bytes of a video that is there for the API key of its job, until the job's files are removed."""
        with broker_errors():
            self._count(keys=[JobKeys(job_id).record], args=[job_id, size])

    def forget(self, job_id: str) -> None:
        """Says nothing any more: the video is there, or its job is gone."""
        with broker_errors():
            self._redis.delete(key_names.side_by_side(job_id))
