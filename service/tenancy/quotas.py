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

from service.errors import BrokerUnavailable, QueueFull, RateLimited, StorageQuotaExceeded, TooManyJobs
from service.redis_state import key_names
from service.redis_state.connection import broker_errors
from service.redis_state.key_names import Account
from service.tenancy.api_keys import ApiKey, KeyLimits

LEASE_S = 1800.0
"""A reservation without news for so long is that of a gateway that died. It is made anew before the job is."""

_RATE = """
local window, limit = 60, tonumber(ARGV[1])
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full_at + window / limit - window - now
if wait > 0.000001 then return tostring(wait) end
redis.call('SET', KEYS[1], string.format('%.6f', full_at + window / limit), 'EX', window + 1)
return '0'
"""
"""The generic cell rate algorithm: as many at once as one minute allows, then evenly. Redis' clock, as several
gateways count together. Returns the seconds to wait; a refused request does not count."""

_RESERVE = """
local active, used, held = unpack(KEYS)
local token, now, expires, bytes, jobs = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local most_jobs, most_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])
local others = redis.call('HGETALL', held)
local held_bytes, held_jobs = 0, 0
for i = 1, #others, 2 do
    local until_, its_bytes, its_jobs = string.match(others[i + 1], '^(%S+) (%S+) (%S+)$')
    if tonumber(until_) < now then
        redis.call('HDEL', held, others[i])
    elseif others[i] ~= token then
        held_bytes, held_jobs = held_bytes + tonumber(its_bytes), held_jobs + tonumber(its_jobs)
    end
end
if most_jobs and jobs > 0 and redis.call('ZCARD', active) + held_jobs + jobs > most_jobs then return 'jobs' end
local stored = tonumber(redis.call('GET', used) or 0)
if most_bytes and bytes > 0 and stored + held_bytes + bytes > most_bytes then return 'bytes' end
redis.call('HSET', held, token, expires .. ' ' .. ARGV[4] .. ' ' .. ARGV[5])
return 'ok'
"""
"""The same token again replaces what it held."""


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
        self._rate = client.register_script(_RATE)
        self._reserve = client.register_script(_RESERVE)

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
