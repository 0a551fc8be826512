"""Decides whose step is begun next. Messages only wake workers: which step a worker begins is decided here.

Joins and plans are next at once. Among segments it is the turn of the tenant that would be done first if all shared the
workers alike, by weight, and of that tenant's job with the least work left; waiting counts, so that a long job is
passed for a while only. Previews come before everything else.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import redis

from service.jobs.job import JobSpec
from service.jobs.step_names import FINISH, PLAN
from service.redis_state import key_names
from service.redis_state.connection import broker_errors, texts
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts import turns


@dataclass(frozen=True)
class Turn:
    """A step that is next."""

    job_id: str
    step: str
    beside: str | None
    """The job in work that gives way to it; None where a worker is free."""


class Turns:
    """The steps that may be begun, in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis, weights: Mapping[str, float] | None = None) -> None:
        """``weights``: by tenant; the others weigh 1."""
        self._redis = client
        self.weights = dict(weights or {})
        self._weights = json.dumps(self.weights)
        self._offer = client.register_script(turns.OFFER)
        self._next = client.register_script(turns.NEXT)

    def offer(self, job_id: str, step: str) -> None:
        """Lists a step, unless it is in work, done or not due. May be called twice."""
        with broker_errors():
            self._offer(keys=[], args=[job_id, step, time.time()])

    def listed(self, job_id: str) -> frozenset[str]:
        """Returns the steps of a job that are listed."""
        with broker_errors():
            segments = texts(self._redis.zrange(JobKeys(job_id).ready, 0, -1))
            members = [f"{job_id} {step}" for step in (PLAN, FINISH)]
            found = self._redis.zmscore(key_names.READY_SHORT, members)
        short = [step for step, score in zip((PLAN, FINISH), found, strict=True) if score is not None]
        return frozenset((*segments, *short))

    def used(self) -> dict[str, float]:
        """Returns the work that was begun for each tenant lately."""
        with broker_errors():
            found = self._redis.hgetall(key_names.TENANTS_USED)
        return {str(tenant): _faded(str(text), time.time()) for tenant, text in found.items() if tenant}

    def take(self, at_work: Sequence[str] = ()) -> Turn | None:
        """Takes the next step off the list; None if there is none.

        ``at_work``: the jobs of the segments that keep a worker busy, which then gets a segment only if one of them
        should give way to it.
        """
        with broker_errors():
            found = self._next(keys=[], args=[time.time(), self._weights, json.dumps(list(at_work))])
        return None if found is None else Turn(str(found[0]), str(found[1]), str(found[2]) or None)


def work_of(spec: JobSpec) -> float:
    """Returns the pixels that are restored for a job, those of a frame once per look, times the model's cost."""
    video = spec.video
    return video.width * video.height * video.frames * spec.looks * spec.cost


def _faded(text: str, now: float) -> float:
    """Reads a value of ``key_names.TENANTS_USED``, as the scripts do."""
    used, when = map(float, text.split())
    return used * math.exp2(-max(0.0, now - when) / turns.HALF_LIFE_S)
