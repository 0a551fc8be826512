"""A TCP proxy that cuts connections in the middle, as bad networks do."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing resets the connection."""


class CuttingProxy:
    """Passes everything on, and cuts the connections that are named: by order, after so many bytes.

    ``cut_up`` and ``cut_down`` are the bytes after which each next connection that carries that many towards the
    service, or from it, is cut; one entry per cut. ``hold_up`` and ``hold_down`` likewise, but the connection stands
    still until ``release``.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self.cut_up: list[int] = []
        self.cut_down: list[int] = []
        self.hold_up: list[int] = []
        self.hold_down: list[int] = []
        self.held = threading.Event()
        """Set as soon as a connection stands still."""
        self._go = threading.Event()
        self.bytes_up = 0
        self.cuts = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def start(self) -> None:
        self._run(self._accept)

    def release(self) -> None:
        """Lets every connection go on."""
        self._go.set()

    def stop(self) -> None:
        self.release()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            self._reset(each)
        for thread in self._threads:
            thread.join(10)

    def _run(self, *what: object) -> None:
        thread = threading.Thread(target=what[0], args=what[1:], daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                service = socket.create_connection(self._target)
                self._sockets += [client, service]
                self._run(self._pump, client, service, self.cut_up, self.hold_up)
                self._run(self._pump, service, client, self.cut_down, self.hold_down)

    def _pump(self, source: socket.socket, sink: socket.socket, cuts: list[int], holds: list[int]) -> None:
        passed = 0
        with suppress(OSError):
            while data := source.recv(1 << 14):
                sink.sendall(data)
                passed += len(data)
                if holds is self.hold_up:
                    self.bytes_up += len(data)
                self._hold(passed, holds)
                if self._is_cut(passed, cuts):
                    break
        self._reset(source)
        self._reset(sink)

    def _hold(self, passed: int, holds: list[int]) -> None:
        with self._lock:
            if not holds or passed < holds[0]:
                return
            holds.pop(0)
        self.held.set()
        self._go.wait()

    def _is_cut(self, passed: int, cuts: list[int]) -> bool:
        with self._lock:
            if not cuts or passed < cuts[0]:
                return False
            cuts.pop(0)
            self.cuts += 1
            return True

    @staticmethod
    def _reset(end: socket.socket) -> None:
        with suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def cutting(host: str, port: int) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy((host, port))
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
