"""Submissions that a client may repeat: one ``Idempotency-Key``, one job."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import redis
from redis.exceptions import LockError

from service.errors.submission import IdempotencyKeyReused, InvalidOption, SubmissionInFlight
from service.jobs.job import JOB_ID
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.tenancy.api_keys import DEFAULT_TENANT

KEPT_S = 24 * 3600
LEASE_S = 1800.0
"""Longer than any probe; a gateway that dies in the middle blocks its key for so long."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def checked_key(text: str) -> str:
    """An ``Idempotency-Key`` that can be one. Raises InvalidOption."""
    if not _KEY.fullmatch(text):
        raise InvalidOption("an Idempotency-Key has 1 to 255 printable ASCII characters and no space")
    return text


class Submissions:
    """What one tenant submitted under which key, for a day. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis, tenant: str = DEFAULT_TENANT) -> None:
        self._redis = client
        self._tenant = tenant

    def of(self, tenant: str) -> Submissions:
        """The same for another tenant."""
        return Submissions(self._redis, tenant)

    def knows(self, key: str) -> bool:
        """Whether something was submitted under ``key``."""
        with broker_errors():
            return bool(self._redis.exists(key_names.submission(self._tenant, key)))

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Nobody else submits under ``key`` meanwhile. Raises SubmissionInFlight."""
        lease = self._redis.lock(
            key_names.submission_lease(self._tenant, key), LEASE_S, blocking=False, thread_local=False
        )
        with broker_errors():
            taken = lease.acquire()
        if not taken:
            raise SubmissionInFlight("a submission with this Idempotency-Key is being accepted right now")
        try:
            yield
        finally:
            with suppress(LockError), broker_errors():
                lease.release()

    def earlier(self, key: str, fingerprint: str) -> str | None:
        """The id of the job that was submitted under ``key``. Raises IdempotencyKeyReused."""
        with broker_errors():
            found = str(self._redis.get(key_names.submission(self._tenant, key)) or "")
        then, _, job_id = found.partition(" ")
        if found and then != fingerprint:
            raise IdempotencyKeyReused("this Idempotency-Key was used for another video or other options")
        return job_id if JOB_ID.fullmatch(job_id) else None

    def remember(self, key: str, fingerprint: str, job_id: str) -> None:
        """Before the job is made, so that a gateway that dies after that does not make a second one."""
        with broker_errors():
            self._redis.set(key_names.submission(self._tenant, key), f"{fingerprint} {job_id}", ex=KEPT_S)

    def forget(self, key: str) -> None:
        """The submission was refused: the key is free again."""
        with broker_errors():
            self._redis.delete(key_names.submission(self._tenant, key))
