"""Decides whether and when a request is made again after the service gave no answer or could not serve it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from http import HTTPStatus

from service.client.effects import Operation, T, pause
from service.client.errors import AddressUnusable, ClientError, RequestRejected, ServiceUnreachable

OUTAGE_S = 60.0
"""Longest outage of a service that has answered before: a gateway restarts in less."""
FIRST_CONTACT_S = 2.0
"""Longest outage of a service that has never answered: mostly its address is wrong."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 8.0

_TRANSIENT_STATUSES = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_TRANSIENT_CODES = frozenset({"submission_in_flight", "upload_locked", "upload_offset_mismatch"})
"""The service still works, or did until now, on an earlier attempt whose connection broke."""

_LASTING_CODES = frozenset({"too_many_jobs", "storage_quota_exceeded", "queue_full"})
"""Limits that end only when jobs end, which may take hours: the caller decides what to do meanwhile."""


class RetryPolicy:
    """Chooses the pauses between attempts, growing, and jittered so that many clients do not come back at once."""

    def __init__(self, outage_s: float = OUTAGE_S) -> None:
        self._outage_s = outage_s
        self._reached = False
        self._outage_since: float | None = None
        self._attempts = 0

    def reset(self) -> None:
        """Ends the outage, after something came through; the next failure begins a new one."""
        self._reached, self._outage_since, self._attempts = True, None, 0

    def delay_after(self, error: ClientError) -> float:
        """Returns the seconds until the next attempt. Raises ``error`` when another attempt would be in vain."""
        if not is_transient(error):
            raise error
        self._reached = self._reached or not isinstance(error, ServiceUnreachable) or error.connected
        now = time.monotonic()
        self._outage_since = now if self._outage_since is None else self._outage_since
        limit = self._outage_s if self._reached else min(FIRST_CONTACT_S, self._outage_s)
        wait = self._pause(error)
        if now + wait - self._outage_since > limit:
            raise error
        return wait

    def _pause(self, error: ClientError) -> float:
        longest = min(FIRST_PAUSE_S * 2**self._attempts, LONGEST_PAUSE_S)
        self._attempts += 1
        wanted = error.retry_after_s if isinstance(error, RequestRejected) else None
        return (wanted or 0.0) + random.uniform(longest / 2, longest)


def is_transient(error: ClientError) -> bool:
    """Returns whether the same request may soon succeed."""
    if isinstance(error, RequestRejected):
        transient = error.status in _TRANSIENT_STATUSES or error.code in _TRANSIENT_CODES
        return transient and error.code not in _LASTING_CODES
    return isinstance(error, ServiceUnreachable) and not isinstance(error, AddressUnusable)


def retrying(attempt: Callable[[], Operation[T]], policy: RetryPolicy) -> Operation[T]:
    """Returns the result of the first attempt that succeeds. It must be safe to make the attempt twice."""
    while True:
        try:
            result = yield from attempt()
        except ClientError as error:
            yield from pause(policy.delay_after(error))
        else:
            policy.reset()
            return result
