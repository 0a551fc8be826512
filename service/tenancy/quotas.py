"""Enforces the limits of API keys and of the queue.

Limits are checked and room is reserved in one transaction, so that concurrent submissions cannot pass them together.
A submission holds a reservation while its body arrives, and renews it. The reservation becomes the job's in the
transaction that creates the job (``RedisJobStore.create``), is released when the submission is refused, and lapses
when its gateway dies.
"""

from __future__ import annotations

import math
import secrets
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
from service.text import plural

TRIES_PER_MINUTE = 6
"""How often an upload token may try to make its job: its video is looked at every time."""
MOST_UPLOADS = 1000
"""Resumable uploads that a key may have at a time."""
LEASE_S = 20.0
"""Seconds after which a reservation lapses that is not renewed: its gateway must have died."""


@dataclass(frozen=True)
class Reservation:
    """Room for one job. ``key`` is None for a submission without a key."""

    token: str = field(default_factory=lambda: secrets.token_hex(16))
    key: ApiKey | None = None


class Quotas:
    """Counts and reservations in Redis. Methods raise BrokerUnavailable."""

    def __init__(self, client: redis.Redis, queue_limit: int | None = None) -> None:
        """``queue_limit``: jobs that may wait at a time, of all keys together; None is no limit."""
        self._redis = client
        self._queue_limit = queue_limit
        self._rate = client.register_script(quotas.RATE)
        self._reserve = client.register_script(quotas.RESERVE)
        self._renew = client.register_script(quotas.RENEW)

    def count_submission(self, key: ApiKey) -> None:
        """Counts a submission. Raises RateLimited if the key has made too many within a minute."""
        if key.limits.per_minute is not None:
            self._count(key_names.submission_rate(key.prefix), key.limits.per_minute, "key")

    def count_try(self, token_id: str) -> None:
        """Counts a try of an upload token to make its job; making the token was the submission of its key.

        Raises RateLimited.
        """
        self._count(key_names.token_rate(token_id), TRIES_PER_MINUTE, "token")

    def _count(self, name: str, per_minute: int, what: str) -> None:
        with broker_errors():
            wait = float(self._rate(keys=[name], args=[per_minute]))
        if wait > 0:
            raise RateLimited(
                f"This {what} may submit {plural(per_minute, 'time')} a minute.", math.ceil(wait)
            )

    @contextmanager
    def room(self, key: ApiKey | None) -> Iterator[Reservation]:
        """Yields an empty reservation for ``reserve``; releases on leaving what no job took over."""
        reservation = Reservation(key=key)
        try:
            yield reservation
        finally:
            with suppress(BrokerUnavailable):  # The reservation then lapses.
                self._release(reservation)

    def reserve(self, reservation: Reservation, size: int) -> None:
        """Reserves room for a job whose upload has ``size`` bytes, 0 if that is not known yet; a second call renews it.

        Raises QueueFull, TooManyJobs and StorageQuotaExceeded.
        """
        token, key = reservation.token, reservation.key
        limit, wait_s = self._ask(key_names.QUEUE, token, (0, 1), KeyLimits(jobs=self._queue_limit))
        if limit != "ok":
            waiting = plural(self._queue_limit or 0, "waiting job")
            raise QueueFull(
                f"The service accepts {waiting} at a time and has reached that limit; try again later.",
                wait_s,
            )
        if key is not None:
            self._demand(key, token, (size, 1))

    def renew(self, reservation: Reservation) -> None:
        """Prolongs a reservation by LEASE_S; one that has lapsed stays so."""
        names = [key_names.QUEUE.held]
        if reservation.key is not None:
            names.append(Account(reservation.key.prefix).held)
        with broker_errors():
            self._renew(keys=names, args=[reservation.token, LEASE_S])

    def hold_bytes(self, key: ApiKey | None, token: str, size: int, lease_s: float = LEASE_S) -> None:
        """Reserves ``size`` bytes for ``lease_s`` seconds, for a resumable upload. Raises StorageQuotaExceeded.

        A key has MOST_UPLOADS of them, because every submission of it looks at all that it holds.
        """
        if key is not None:
            self._demand(key, token, (size, 0), lease_s)

    def let_go(self, key: ApiKey | None, token: str) -> None:
        """Releases the bytes of a resumable upload that is gone."""
        if key is not None:
            with broker_errors():
                self._redis.hdel(Account(key.prefix).held, token)

    def _demand(self, key: ApiKey, token: str, wanted: tuple[int, int], lease_s: float = LEASE_S) -> None:
        limit, wait_s = self._ask(Account(key.prefix), token, wanted, key.limits, lease_s)
        if limit == "jobs":
            raise TooManyJobs(
                f"This key may have {plural(key.limits.jobs or 0, 'unfinished job')} at a time; "
                "wait for one to end, or cancel one.",
                wait_s,
            )
        if limit == "held":
            raise StorageQuotaExceeded(
                f"This key has {plural(MOST_UPLOADS, 'upload')} of which no job was made; end some, or wait until they "
                "expire.",
                wait_s,
            )
        if limit == "bytes":
            raise StorageQuotaExceeded(
                f"This key may keep {plural(key.limits.bytes or 0, 'byte')} of uploads and results, and "
                f"{plural(wanted[0], 'more byte')} would exceed that; delete jobs, or wait until they expire.",
                wait_s,
            )

    def _ask(
        self,
        account: Account,
        token: str,
        wanted: tuple[int, int],
        limits: KeyLimits,
        lease_s: float = LEASE_S,
    ) -> tuple[str, int | None]:
        """Returns ``ok`` or the limit in the way, and the seconds until that may change, if submissions are in it."""
        most = ["" if limit is None else limit for limit in (limits.jobs, limits.bytes)]
        most.append("" if wanted[1] else MOST_UPLOADS)
        with broker_errors():
            answer = self._reserve(
                keys=[account.active, account.used, account.held], args=[token, lease_s, *wanted, *most]
            )
        limit, _, wait = str(answer).partition(" ")
        return limit, math.ceil(float(wait)) if wait else None

    def _release(self, reservation: Reservation) -> None:
        with broker_errors():
            self._redis.hdel(key_names.QUEUE.held, reservation.token)
            if reservation.key is not None:
                self._redis.hdel(Account(reservation.key.prefix).held, reservation.token)
