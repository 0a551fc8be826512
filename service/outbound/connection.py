"""Connects to servers of others at an address that was checked, under their own name."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPSConnection

from service.outbound.address import Reach, Resolve, Target, permitted_addresses, resolve
from service.text import presentable


def reason_of(error: Exception) -> str:
    """Says why a server gave no answer, in words that may be the server's own: what came in place of a status."""
    return presentable(str(error)) or type(error).__name__


class Dialer:
    """Opens connections. Follows no redirects and asks no proxy."""

    def __init__(self, silence_s: float, reach: Reach, resolver: Resolve = resolve) -> None:
        """``silence_s``: seconds for a connection to be made, and for each read and write."""
        self._silence_s = silence_s
        self._allowed = reach
        self._resolver = resolver
        self._tls = ssl.create_default_context()

    @contextmanager
    def connected(self, target: Target, whole_s: float) -> Iterator[HTTPConnection]:
        """Connects to a server under the URL's host name; cuts the connection after ``whole_s`` seconds.

        Raises AddressRefused, and OSError, UnicodeError and HTTPException as the standard library does.
        """
        channel = self._reach(permitted_addresses(target, self._allowed, self._resolver), target.port)
        if target.secure:  # It takes the place of the plain socket, so that only its own cut holds.
            channel = self._tls.wrap_socket(
                channel, server_hostname=target.host, do_handshake_on_connect=False
            )
        cut = threading.Timer(whole_s, _shut, [channel])
        cut.daemon = True
        cut.start()
        connection = (HTTPSConnection if target.secure else HTTPConnection)(target.host, target.port)
        try:
            if isinstance(channel, ssl.SSLSocket):
                channel.do_handshake()
            connection.sock = channel
            yield connection
        finally:
            cut.cancel()
            connection.close()
            channel.close()

    def _reach(self, addresses: tuple[str, ...], port: int) -> socket.socket:
        failure = OSError("the host name has no address")
        for address in addresses[:2]:
            try:
                return socket.create_connection((address, port), timeout=self._silence_s)
            except OSError as error:
                failure = error
        raise failure


def _shut(connection: socket.socket) -> None:
    """Ends a connection. A socket's own timeout is per read; a server that sends single bytes never exceeds it.

    TLS is not told: a reader in another thread would go on in plain text.
    """
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
