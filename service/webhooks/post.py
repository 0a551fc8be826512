"""Makes one attempt to deliver a webhook: a POST to an address that was checked, within a fixed time."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from service.errors.webhook import WebhookFailed
from service.webhooks.address import Reach, Resolve, WebhookTarget, permitted_addresses, read_target, resolve

ANSWER_BYTES = 4096
"""Bytes of the answer that are read, so that ordinary receivers see a clean end; only the status matters."""


class WebhookClient:
    """Sends webhooks. Follows no redirects and asks no proxy."""

    def __init__(self, timeout_s: float, reach: Reach, resolver: Resolve = resolve) -> None:
        """``timeout_s``: seconds for a whole attempt, once the name is resolved."""
        self._timeout_s = timeout_s
        self._allowed = reach
        self._resolver = resolver
        self._tls = ssl.create_default_context()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Posts ``body`` and returns the HTTP status of the answer.

        Raises WebhookRefused for a forbidden address and WebhookFailed without an answer.
        """
        target = read_target(url)
        try:
            addresses = permitted_addresses(target, self._allowed, self._resolver)
            with self._connected(target, addresses) as connection:
                connection.request("POST", target.path, body, dict(headers))
                answer = connection.getresponse()
                with suppress(OSError, HTTPException):
                    answer.read(ANSWER_BYTES)
                return answer.status
        except (OSError, HTTPException, UnicodeError) as error:
            raise WebhookFailed(
                f"The receiver did not answer: {str(error) or type(error).__name__}."
            ) from error

    @contextmanager
    def _connected(self, target: WebhookTarget, addresses: tuple[str, ...]) -> Iterator[HTTPConnection]:
        """Connects to one of ``addresses`` under the URL's host name; cuts the connection when the time is over."""
        plain = self._reach(addresses, target.port)
        cut = threading.Timer(self._timeout_s, _shut, [plain])
        cut.daemon = True
        cut.start()
        connection = (HTTPSConnection if target.secure else HTTPConnection)(target.host, target.port)
        try:
            connection.sock = (
                self._tls.wrap_socket(plain, server_hostname=target.host) if target.secure else plain
            )
            yield connection
        finally:
            cut.cancel()
            connection.close()
            plain.close()

    def _reach(self, addresses: tuple[str, ...], port: int) -> socket.socket:
        failure = OSError("the host name has no address")
        for address in addresses[:2]:
            try:
                return socket.create_connection((address, port), timeout=self._timeout_s)
            except OSError as error:
                failure = error
        raise failure


def _shut(connection: socket.socket) -> None:
    """Ends a connection. A socket's own timeout is per read; a receiver that sends single bytes never exceeds it."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
