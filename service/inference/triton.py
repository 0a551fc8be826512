"""Runs a model on NVIDIA Triton: one server or many, on this machine or others."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from service.errors.engine import EngineUnavailable, InferenceFailed
from service.inference.engine import Frames, Stopped, check_window, checked_result, never
from service.inference.triton_link import LinkOptions, TritonLink
from service.inference.triton_pool import Pool
from service.text import plural
from service.types import CONTEXT_FRAMES

MESSAGE_BYTES = 2**31 - 2**20
"""Bytes of the largest message: gRPC allows 2 GiB, of which everything but pixels takes far less than a mebibyte."""
ATTEMPTS = 3
"""How often a window is sent, to other servers or the same one, before its segment is tried again later."""
DEFAULT_PORT = 8001


@dataclass(frozen=True)
class TritonOptions:
    """The addresses of the servers, and how long they may take."""

    addresses: Sequence[str]
    """``host:port`` of gRPC, port 8001 when left out; a name stands for every address that it resolves to."""
    timeout_s: float = 60.0
    """For one window, transfer included, and as much again for each other window of this worker at the same server.
    A server that takes longer gets no windows until it has recovered."""
    patience_s: float = 30.0
    """How long a window is sent again, or waits while no server takes windows, before its segment is put off."""
    owner: str = "worker"
    """Name of this worker. A process of the same name removes the regions that the one before left at a server."""
    share_memory: bool = True
    """Use shared memory with the servers that can."""
    message_bytes: int = MESSAGE_BYTES
    """Bytes of the largest window that is sent whole; a larger one is cut, which does not change the result."""


class TritonEngine:
    """Serves one model. Implements ``DeblurEngine``; windows of several threads are restored at the same time."""

    def __init__(self, model: str, options: TritonOptions) -> None:
        """Connects, and returns when a server has restored a window.

        Raises ModelNotFound, EngineError for a model that does not load or has other tensors than expected, and
        EngineUnavailable when no server answers.
        """
        self._options = options
        self._pool = Pool(resolver(options.addresses), self._connector(model))

    @property
    def servers(self) -> tuple[str, ...]:
        """Addresses of the servers that take windows at the moment."""
        return self._pool.admitted()

    @property
    def in_flight(self) -> int:
        """How many windows are at a server now."""
        return self._pool.in_flight()

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        check_window(window)
        parts = [self._restore(part, stopped) for part in split(window, self._options.message_bytes)]
        return checked_result(parts[0] if len(parts) == 1 else np.concatenate(parts), window)

    def close(self) -> None:
        self._pool.close()

    def _restore(self, window: Frames, stopped: Stopped) -> Frames:
        deadline = time.monotonic() + self._options.patience_s
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with self._pool.borrowed(deadline - time.monotonic(), stopped) as link:
                    return link.infer(window, stopped)
            except EngineUnavailable:
                if attempt == ATTEMPTS or time.monotonic() >= deadline:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _connector(self, model: str) -> Callable[[str], TritonLink]:
        options = self._options
        link = LinkOptions(options.timeout_s, options.owner, options.share_memory)
        return lambda address: TritonLink(address, model, link)


def split(window: Frames, most_bytes: int) -> list[Frames]:
    """Cuts a window into windows of at most ``most_bytes`` whose results, one after the other, are that of ``window``.

    Raises InferenceFailed when the window of a single output frame is larger.
    """
    count = window.shape[0] - CONTEXT_FRAMES
    longest = most_bytes // (window.nbytes // window.shape[0]) - CONTEXT_FRAMES
    if longest < 1:
        raise InferenceFailed(
            f"The smallest window of {window.shape[2]} x {window.shape[1]} pixels takes more than a message "
            f"to Triton may have, which is {plural(most_bytes, 'byte')}."
        )
    starts = range(0, count, longest)
    return [window[start : min(start + longest, count) + CONTEXT_FRAMES] for start in starts]


def resolver(addresses: Sequence[str]) -> Callable[[], set[str]]:
    """Returns a function that asks the name service for all addresses of ``host[:port]``; it raises OSError.

    Raises ValueError for a malformed address.
    """
    pairs = [_host_and_port(address) for address in addresses]

    def resolve() -> set[str]:
        return {found for host, port in pairs for found in _resolved(host, port)}

    return resolve


def _host_and_port(address: str) -> tuple[str, int]:
    """Splits ``host``, ``host:port`` or ``[v6]:port``. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, str(DEFAULT_PORT)
    if not port.isdigit() or not host:
        raise ValueError(f"A Triton address is host:port, such as triton:8001; {address!r} is not.")
    return host.strip("[]"), int(port)


def _resolved(host: str, port: int) -> set[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return {_joined(str(address[0]), port) for *_, address in found}


def _joined(address: str, port: int) -> str:
    return (
        f"[{address}]:{port}"
        if ipaddress.ip_address(address.split("%")[0]).version == 6
        else f"{address}:{port}"
    )
