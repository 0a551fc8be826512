"""Records how videos get here from their ``input_url``, and results to their ``output_url``."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import redis

from service.jobs.job import Handover, JobSpec
from service.jobs.record import SPACE
from service.jobs.store import fields_of
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.key_names import JobKeys
from service.redis_state.scripts import transfers


class Transfers:
    """The transfers of all jobs, in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._fetched = client.register_script(transfers.FETCHED)
        self._arrived = client.register_script(transfers.ARRIVED)
        self._put_off = client.register_script(transfers.PUT_OFF)
        self._handover = client.register_script(transfers.HANDOVER)

    def fetched(self, job_id: str, there: int, total: int | None) -> None:
        """Records how many bytes of a video have arrived, and how many there are where that is known."""
        names = JobKeys(job_id)
        told = "" if total is None else total
        with broker_errors():
            self._fetched(keys=[names.record, names.events], args=[time.time(), there, told])

    def arrived(self, job_id: str, spec: JobSpec) -> bool:
        """Gives a job its video, and the plan as the step that the caller is to enqueue.

        Returns False if it was canceled, deleted or got its video in the meantime.
        """
        names = JobKeys(job_id)
        pairs = [part for pair in fields_of(spec).items() for part in pair]
        used = [names.record, names.steps, names.events, key_names.FETCHES_DUE]
        with broker_errors():
            return bool(self._arrived(keys=used, args=[job_id, time.time(), *pairs]))

    def failed(self, job_id: str) -> int:
        """Counts an attempt to fetch a video that failed; returns how many did by now."""
        with broker_errors():
            return int(self._put_off(keys=[JobKeys(job_id).record], args=[""]))

    def await_space(self, job_id: str) -> None:
        """Records that a video waits for room on the disk."""
        with broker_errors():
            self._put_off(keys=[JobKeys(job_id).record], args=[SPACE])

    def hand_over(self, job_id: str, handover: Handover) -> None:
        """Records what became of sending a result."""
        with broker_errors():
            self._handover(keys=[JobKeys(job_id).record], args=[json.dumps(asdict(handover))])

    def key_of(self, job_id: str) -> str | None:
        """Returns the prefix of the API key that a job counts for."""
        with broker_errors():
            found = self._redis.hget(JobKeys(job_id).record, "key")
        return None if found is None else str(found)
