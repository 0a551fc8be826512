"""A receiver that answers one byte at a time, so that no single read is late and the answer never ends."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

PAUSE_S = 0.05


@dataclass
class Dripping:
    """The receiver of one request."""

    port: int
    sent: int = 0
    """Bytes of its answer."""


@contextmanager
def dripping(context: ssl.SSLContext | None = None) -> Iterator[Dripping]:
    """One that answers on this machine until the client hangs up or the block ends; with ``context`` over TLS."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        state = Dripping(listener.getsockname()[1])

        def answer() -> None:
            try:
                connection = listener.accept()[0]
                with context.wrap_socket(connection, server_side=True) if context else connection as plain:
                    plain.recv(65536)
                    while not over.wait(PAUSE_S):
                        state.sent += plain.send(b"H")
            except OSError:
                return

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield state
        finally:
            over.set()
            with suppress(OSError):  # wakes one to whom nobody has come
                listener.shutdown(socket.SHUT_RDWR)
            thread.join()
