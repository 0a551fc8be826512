"""Remembers submissions that a client may repeat: one ``Idempotency-Key`` makes one job."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import redis
from redis.exceptions import LockError

from service.errors.submission import IdempotencyKeyReused, InvalidOption, SubmissionInFlight
from service.jobs.job import JOB_ID
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.tenancy.api_keys import DEFAULT_TENANT

KEPT_S = 24 * 3600
"""For how many seconds a submission is remembered."""
LEASE_S = 20.0
"""Seconds for which a key is blocked by a gateway that accepts a submission; while it lives, it renews that."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def _in_flight(retry_after_s: int) -> SubmissionInFlight:
    return SubmissionInFlight(
        "A submission with this Idempotency-Key is being accepted right now.", retry_after_s
    )


def checked_key(text: str) -> str:
    """Returns a well-formed ``Idempotency-Key``. Raises InvalidOption for any other."""
    if not _KEY.fullmatch(text):
        raise InvalidOption("An Idempotency-Key has 1 to 255 printable ASCII characters and no space.")
    return text


class Submissions:
    """What one tenant submitted under which key within a day. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis, tenant: str = DEFAULT_TENANT) -> None:
        self._redis = client
        self._tenant = tenant

    def of(self, tenant: str) -> Submissions:
        """Returns the submissions of another tenant."""
        return Submissions(self._redis, tenant)

    def knows(self, key: str) -> bool:
        """Returns whether something was submitted under ``key``."""
        with broker_errors():
            return bool(self._redis.exists(key_names.submission(self._tenant, key)))

    @contextmanager
    def alone(self, key: str) -> Iterator[Callable[[], None]]:
        """Keeps others from submitting under ``key`` meanwhile, as long as the function is called that this yields.

        Raises SubmissionInFlight if somebody is at it.
        """
        name = key_names.submission_lease(self._tenant, key)
        lease = self._redis.lock(name, LEASE_S, blocking=False, thread_local=False)
        with broker_errors():
            taken = lease.acquire()
            left_ms = 0 if taken else int(self._redis.pttl(name))
        if not taken:
            raise _in_flight(max(1, math.ceil(left_ms / 1000)))

        def renew() -> None:
            with suppress(LockError), broker_errors():
                lease.extend(LEASE_S, replace_ttl=True)

        try:
            yield renew
        finally:
            with suppress(LockError), broker_errors():
                lease.release()

    def confirm(self, key: str, job_id: str) -> None:
        """Raises SubmissionInFlight if another gateway took the key over, because this one was silent for too long."""
        with broker_errors():
            found = str(self._redis.get(key_names.submission(self._tenant, key)) or "")
        if found.partition(" ")[2] != job_id:
            raise _in_flight(1)

    def earlier(self, key: str, fingerprint: str) -> str | None:
        """Returns the id of the job that was submitted under ``key``, if there is one.

        ``fingerprint`` stands for the video and the options. Raises IdempotencyKeyReused where it differs.
        """
        with broker_errors():
            found = str(self._redis.get(key_names.submission(self._tenant, key)) or "")
        then, _, job_id = found.partition(" ")
        if found and then != fingerprint:
            raise IdempotencyKeyReused("This Idempotency-Key was used for another video or other options.")
        return job_id if JOB_ID.fullmatch(job_id) else None

    def remember(self, key: str, fingerprint: str, job_id: str) -> None:
        """Records a submission, before its job is created: a repetition after a crash then makes no second job."""
        with broker_errors():
            self._redis.set(key_names.submission(self._tenant, key), f"{fingerprint} {job_id}", ex=KEPT_S)

    def forget(self, key: str) -> None:
        """Frees the key of a submission that was refused."""
        with broker_errors():
            self._redis.delete(key_names.submission(self._tenant, key))
