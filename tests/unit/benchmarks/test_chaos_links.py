"""Links that go bad carry what they should, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from benchmarks.reliability.chaos.links import Link, State

PATIENCE_S = 60.0
QUIET_S = 0.2
"""Long enough for an answer on loopback; a link that carries one all the same fails the test, on a fast machine."""


@pytest.fixture
def link() -> Iterator[Link]:
    """To a server that answers with what it is sent."""
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_echo, args=(server,), daemon=True).start()
    with server, Link(server.getsockname) as made:
        yield made


def _echo(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            end, _ = server.accept()
            threading.Thread(target=_answer, args=(end,), daemon=True).start()


def _answer(end: socket.socket) -> None:
    with end, suppress(OSError):
        while data := end.recv(100):
            end.sendall(data)


def _connected(link: Link) -> socket.socket:
    return socket.create_connection(("127.0.0.1", link.port), timeout=PATIENCE_S)


def test_a_good_link_carries_everything(link: Link) -> None:
    with _connected(link) as end:
        end.sendall(b"ping")
        assert end.recv(4) == b"ping"


def test_a_stalled_link_carries_nothing_until_it_is_good_again(link: Link) -> None:
    with _connected(link) as end:
        link.become(State.STALLED)
        end.sendall(b"ping")
        end.settimeout(QUIET_S)
        with pytest.raises(TimeoutError):
            end.recv(4)
        end.settimeout(PATIENCE_S)
        link.become(State.GOOD)
        assert end.recv(4) == b"ping"


def test_a_broken_link_ends_connections_and_takes_no_new_ones(link: Link) -> None:
    with _connected(link) as end:
        end.sendall(b"ping")
        assert end.recv(4) == b"ping"
        link.become(State.BROKEN)
        assert _is_closed(end)
    with _connected(link) as end:
        assert _is_closed(end)
    link.become(State.GOOD)
    with _connected(link) as end:
        end.sendall(b"ping")
        assert end.recv(4) == b"ping"


def _is_closed(end: socket.socket) -> bool:
    try:
        return end.recv(1) == b""
    except ConnectionResetError:
        return True
