"""Reads the event stream of a job, without a thread per reader. ``service.jobs.event_feeds`` follows it for many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from service.redis_state.connection import REPLY_TIMEOUT_S, broker_errors, connect_async
from service.redis_state.key_names import JobKeys

FROM_THE_BEGINNING = "0-0"
LONGEST_WAIT_S = 60.0
"""A reader that waits longer asks again."""


@dataclass(frozen=True)
class Event:
    """One entry of the stream. Types: ``status``, ``step_started``, ``step_done``, ``progress``."""

    id: str
    type: str
    fields: dict[str, str]

    @property
    def time(self) -> float:
        """When Redis stored the event, in unix seconds of its clock."""
        return int(self.id.partition("-")[0]) / 1000


class EventReader:
    """Reads event streams. Methods raise BrokerUnavailable."""

    def __init__(self, url: str, connections: int = 64) -> None:
        """``connections``: as many calls are answered at a time; one more raises BrokerUnavailable."""
        self._redis = connect_async(url, LONGEST_WAIT_S + REPLY_TIMEOUT_S, connections)

    async def read(self, job_id: str, after: str, wait_s: float) -> list[Event]:
        """Returns at most 100 events after an id; waits up to ``wait_s`` seconds for the first.

        ``wait_s`` is at most LONGEST_WAIT_S; 0 does not wait.
        """
        block = int(wait_s * 1000) or None
        with broker_errors():
            answer = await self._redis.xread({JobKeys(job_id).events: after}, count=100, block=block)
        entries = _entries(answer)
        return [Event(id, fields.pop("type"), fields) for id, fields in entries]

    async def last_id(self, job_id: str) -> str:
        """Returns the id of the latest event; FROM_THE_BEGINNING where there is none."""
        with broker_errors():
            latest: Any = await self._redis.xrevrange(JobKeys(job_id).events, count=1)
        return str(latest[0][0]) if latest else FROM_THE_BEGINNING

    async def exists(self, job_id: str) -> bool:
        """Returns whether the job is still on record."""
        with broker_errors():
            return bool(await self._redis.exists(JobKeys(job_id).record))

    async def close(self) -> None:
        """Closes the connections to Redis."""
        await self._redis.aclose()


def position(event_id: str) -> tuple[int, int]:
    """Returns what ids of events are ordered by."""
    time, _, number = event_id.partition("-")
    return int(time), int(number)


def _entries(answer: Any) -> list[tuple[str, dict[str, str]]]:
    """Returns the entries in an answer to XREAD of one stream.

    The answer is a list of (name, entries) in RESP2, and a mapping name -> [entries] in RESP3.
    """
    if not answer:
        return []
    if isinstance(answer, dict):
        return [entry for chunk in next(iter(answer.values())) for entry in chunk]
    return list(answer[0][1])
