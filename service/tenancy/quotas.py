"""Limits of keys and of the queue: looked at and reserved in one step, so that nobody slips through beside another.

A submission holds a reservation while its body arrives. It becomes the job's in the transaction that makes the job
(``RedisJobStore.create``), goes when the submission is refused, and lapses when its gateway dies.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import redis

from service.errors.broker import BrokerUnavailable
from service.errors.limit import QueueFull, RateLimited, StorageQuotaExceeded, TooManyJobs
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.key_names import Account
from service.redis_state.scripts import quotas
from service.tenancy.api_keys import ApiKey, KeyLimits

LEASE_S = 1800.0
"""A reservation without news for so long is that of a gateway that died. It is made anew before the job is."""


@dataclass(frozen=True)
class Reservation:
    """Room for one job."""

    token: str = field(default_factory=lambda: secrets.token_hex(16))
    key: ApiKey | None = None


class Quotas:
    """Counts in Redis. Methods raise BrokerUnavailable.

    ``queue_limit``: jobs that may wait at a time, of all keys together; None is any number.
    """

    def __init__(self, client: redis.Redis, queue_limit: int | None = None) -> None:
        self._redis = client
        self._queue_limit = queue_limit
        self._rate = client.register_script(quotas.RATE)
        self._reserve = client.register_script(quotas.RESERVE)

    def count_submission(self, key: ApiKey) -> None:
        """Raises RateLimited."""
        if key.limits.per_minute is None:
            return
        with broker_errors():
            wait = float(
                self._rate(keys=[key_names.submission_rate(key.prefix)], args=[key.limits.per_minute])
            )
        if wait > 0:
            raise RateLimited(f"this key may submit {key.limits.per_minute} times a minute", math.ceil(wait))

    @contextmanager
    def room(self, key: ApiKey | None) -> Iterator[Reservation]:
        """Holds nothing until ``reserve``; what a job did not take over is given back on leaving."""
        reservation = Reservation(key=key)
        try:
            yield reservation
        finally:
            with suppress(BrokerUnavailable):  # then it lapses
                self._release(reservation)

    def reserve(self, reservation: Reservation, size: int) -> None:
        """Room for a job whose upload has ``size`` bytes, 0 if that is not known yet; again to hold on to it.

        Raises QueueFull, TooManyJobs, StorageQuotaExceeded.
        """
        token, key = reservation.token, reservation.key
        if self._ask(key_names.QUEUE, token, (0, 1), KeyLimits(jobs=self._queue_limit)) != "ok":
            raise QueueFull(f"{self._queue_limit} jobs wait already, which is the limit; try again later")
        if key is not None:
            self._demand(key, token, (size, 1))

    def hold_bytes(self, key: ApiKey | None, token: str, size: int, lease_s: float) -> None:
        """Room for ``size`` bytes that stay for ``lease_s``: a resumable upload. Raises StorageQuotaExceeded."""
        if key is not None:
            self._demand(key, token, (size, 0), lease_s)

    def let_go(self, key: ApiKey | None, token: str) -> None:
        """The upload of this token is no more."""
        if key is not None:
            with broker_errors():
                self._redis.hdel(Account(key.prefix).held, token)

    def _demand(self, key: ApiKey, token: str, wanted: tuple[int, int], lease_s: float = LEASE_S) -> None:
        answer = self._ask(Account(key.prefix), token, wanted, key.limits, lease_s)
        if answer == "jobs":
            raise TooManyJobs(
                f"this key may have {key.limits.jobs} unfinished jobs; wait for one, or cancel one"
            )
        if answer == "bytes":
            raise StorageQuotaExceeded(
                f"this key may keep {key.limits.bytes} bytes of uploads and results, and {wanted[0]} more are too "
                "many; delete jobs, or wait until they expire"
            )

    def _ask(
        self,
        account: Account,
        token: str,
        wanted: tuple[int, int],
        limits: KeyLimits,
        lease_s: float = LEASE_S,
    ) -> str:
        now, (size, jobs) = time.time(), wanted
        most = ["" if limit is None else limit for limit in (limits.jobs, limits.bytes)]
        with broker_errors():
            return str(
                self._reserve(
                    keys=[account.active, account.used, account.held],
                    args=[token, now, now + lease_s, size, jobs, *most],
                )
            )

    def _release(self, reservation: Reservation) -> None:
        with broker_errors():
            self._redis.hdel(key_names.QUEUE.held, reservation.token)
            if reservation.key is not None:
                self._redis.hdel(Account(reservation.key.prefix).held, reservation.token)
