"""A link between two parts of a service that goes bad: it stalls, breaks, or is slow."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path

Address = Path | tuple[str, int]
SLOW_S = 0.2
"""By how much a slow link delays what it carries."""
_PIECE = 1 << 16


class State(Enum):
    """How a link is."""

    GOOD = "good"
    STALLED = "stalled"
    """Nothing comes through, and nobody is told: as when packets are lost."""
    BROKEN = "broken"
    """Connections are reset, and new ones are refused at once."""
    SLOW = "slow"


class Link:
    """Carries connections to a part of the service. Use as a context manager."""

    def __init__(self, target: Callable[[], Address]) -> None:
        """``target``: where the part listens at the moment."""
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._good = threading.Event()
        self._good.set()
        self._state = State.GOOD
        self._ends: set[socket.socket] = set()
        self._held: set[socket.socket] = set()
        """Ends whose bytes, or connection, wait until the link is good again."""

    def __enter__(self) -> Link:
        threading.Thread(target=self._accept, name="link", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.become(State.BROKEN)

    @property
    def port(self) -> int:
        """Where it is reached, on loopback."""
        return int(self._listener.getsockname()[1])

    @property
    def holds(self) -> bool:
        """Whether something waits for the link to become good again."""
        return bool(self._held)

    def become(self, state: State) -> None:
        """Changes how the link is."""
        self._state = state
        if state is State.STALLED:
            self._good.clear()
        else:
            self._good.set()
        if state is State.BROKEN:
            for end in tuple(self._ends):
                self._close(end)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        self._wait(near)
        try:
            if self._state is State.BROKEN:
                raise ConnectionRefusedError
            far = _connected(self._target())
        except OSError:
            near.close()
            return
        self._ends |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(_PIECE):
                self._wait(source)
                if self._state is State.SLOW:
                    time.sleep(SLOW_S)
                sink.sendall(data)
        self._close(source)
        self._close(sink)

    def _wait(self, end: socket.socket) -> None:
        self._held.add(end)
        self._good.wait()
        self._held.discard(end)

    def _close(self, end: socket.socket) -> None:
        self._ends.discard(end)
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _connected(address: Address) -> socket.socket:
    if isinstance(address, Path):
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(address))
        return far
    return socket.create_connection(address)
