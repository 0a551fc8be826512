"""Makes one attempt to deliver a webhook: a POST to an address that was checked, within a fixed time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException

from service.errors.outbound import AddressRefused
from service.errors.webhook import WebhookFailed, WebhookRefused
from service.outbound.address import Reach, Resolve, read_target, resolve
from service.outbound.connection import Dialer, reason_of

ANSWER_BYTES = 4096
"""Bytes of the answer that are read, so that ordinary receivers see a clean end; only the status matters."""


class WebhookClient:
    """Sends webhooks. Follows no redirects and asks no proxy."""

    def __init__(self, timeout_s: float, reach: Reach, resolver: Resolve = resolve) -> None:
        """``timeout_s``: seconds for a whole attempt, once the name is resolved."""
        self.timeout_s = timeout_s
        self._dialer = Dialer(timeout_s, reach, resolver)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Posts ``body`` and returns the HTTP status of the answer.

        Raises WebhookRefused for a forbidden address and WebhookFailed without an answer.
        """
        try:
            target = read_target(url)
            with self._dialer.connected(target, self.timeout_s) as connection:
                connection.request("POST", target.path, body, dict(headers))
                answer = connection.getresponse()
                with suppress(OSError, HTTPException):
                    answer.read(ANSWER_BYTES)
                return answer.status
        except AddressRefused as error:
            raise WebhookRefused(f"The webhook's address is refused: {error}") from error
        except (OSError, HTTPException, UnicodeError) as error:
            raise WebhookFailed(f"The receiver did not answer: {reason_of(error)}.") from error
