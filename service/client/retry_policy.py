"""How long to go on when a service gives no answer, and when to ask again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from http import HTTPStatus

from service.client.errors import AddressUnusable, ClientError, RequestRejected, ServiceUnreachable
from service.client.steps import Flow, T, pause

OUTAGE_S = 60.0
"""How long an outage may last in the middle of something: a gateway restarts in less."""
GREETING_S = 2.0
"""The same for a service that was not heard of yet: mostly its address is wrong."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.2, 8.0

_PASSING = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
_PASSING_CODES = frozenset({"submission_in_flight", "upload_locked", "upload_offset_mismatch"})
"""An earlier attempt whose connection broke is still at work over there, or was until now."""

_STANDING_CODES = frozenset({"too_many_jobs", "storage_quota_exceeded", "queue_full"})
"""These pass when jobs end, which may take hours: whoever submits decides what to do meanwhile."""


class Patience:
    """Pauses between attempts, growing and jittered so that many clients do not come back at once."""

    def __init__(self, outage_s: float = OUTAGE_S) -> None:
        self._outage_s = outage_s
        self._met = False
        self._began: float | None = None
        self._attempts = 0

    def calm(self) -> None:
        """Something came through: the next outage is a new one."""
        self._met, self._began, self._attempts = True, None, 0

    def after(self, error: ClientError) -> float:
        """Seconds until the next attempt; raises ``error`` when another one would be in vain."""
        if not may_pass(error):
            raise error
        self._met = self._met or not isinstance(error, ServiceUnreachable) or error.connected
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        limit = self._outage_s if self._met else min(GREETING_S, self._outage_s)
        wait = self._pause(error)
        if now + wait - self._began > limit:
            raise error
        return wait

    def _pause(self, error: ClientError) -> float:
        longest = min(FIRST_PAUSE_S * 2**self._attempts, LONGEST_PAUSE_S)
        self._attempts += 1
        asked = error.retry_after_s if isinstance(error, RequestRejected) else None
        return (asked or 0.0) + random.uniform(longest / 2, longest)


def may_pass(error: ClientError) -> bool:
    """Whether the same request may succeed later."""
    if isinstance(error, RequestRejected):
        passing = error.status in _PASSING or error.code in _PASSING_CODES
        return passing and error.code not in _STANDING_CODES
    return isinstance(error, ServiceUnreachable) and not isinstance(error, AddressUnusable)


def patiently(attempt: Callable[[], Flow[T]], patience: Patience) -> Flow[T]:
    """The result of the first attempt that comes through. Only for what may safely be done twice."""
    while True:
        try:
            result = yield from attempt()
        except ClientError as error:
            yield from pause(patience.after(error))
        else:
            patience.calm()
            return result
