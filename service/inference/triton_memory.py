"""Shared memory between this process and a Triton on the same machine: windows travel without being copied.

A region is created under a name of its own, registered with the server, and unlinked at once: both sides keep their
mapping, and whatever dies later, nothing stays behind in the file system. A server that cannot open the region is
elsewhere, or runs as another user, or was started without ``--allow-client-shm=true`` where its version asks for that.
"""

from __future__ import annotations

import mmap
import os
import secrets
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from tritonclient.utils import InferenceServerException

from service.inference.engine import Frames

DIRECTORY = Path("/dev/shm")
RUN = secrets.token_hex(8)
"""Tells the regions of this process from those of every other one, also of a process with the same id elsewhere."""
REGISTER_TIMEOUT_S = 3.0
"""A server answers at once, whatever its networks do; one that does not gets the window by message, cancelable."""
FORGET_TIMEOUT_S = 1.0


class SharingError(Exception):
    """The server cannot have this memory, or there is none left; the window can go by message."""


@dataclass(frozen=True)
class Region:
    """A mapping that the server has too. ``name`` is what the server calls it."""

    name: str
    memory: mmap.mmap

    def frames(self, offset: int, shape: tuple[int, ...]) -> Frames:
        """A view of uint8 [T, H, W, 3] at ``offset`` bytes."""
        count = int(np.prod(shape))
        return np.frombuffer(self.memory, np.uint8, count, offset).reshape(shape)


class SharedMemory:
    """The regions of one server."""

    def __init__(self, client: Any, owner: str, settle_s: float) -> None:
        """``client``: an ``InferenceServerClient``. ``owner``: this worker's name, the same after a restart.

        ``settle_s``: how long the server may still use the region of a call that was given up.
        """
        self._client = client
        self._owner = f"cdvd/{owner}/"
        self._settle_s = settle_s
        self._free: list[Region] = []
        self._retired: deque[tuple[float, str]] = deque()
        self._lock = Lock()

    @contextmanager
    def region(self, size: int) -> Iterator[Region]:
        """A region of at least ``size`` bytes for one call; not used again unless the call ends well.

        Raises SharingError.
        """
        region = self._take(size) or self._create(size)
        try:
            yield region
        except BaseException:
            self._retire(region)
            raise
        with self._lock:
            self._free.append(region)

    def sweep(self) -> None:
        """Make the server forget the regions of this worker's earlier processes. Raises SharingError."""
        try:
            known = self._client.get_system_shared_memory_status(client_timeout=REGISTER_TIMEOUT_S).regions
        except InferenceServerException as error:
            raise SharingError(str(error)) from error
        for name in known:
            if name.startswith(self._owner) and not name.startswith(f"{self._owner}{RUN}/"):
                self._unregister(name)

    def forget(self) -> None:
        """Use none of the present regions again: the server may have lost them."""
        with self._lock:
            self._retired.extend((time.monotonic(), region.name) for region in self._free)
            self._free.clear()

    def close(self) -> None:
        """Make the server forget everything; errors do not matter any more."""
        with self._lock:
            names = [region.name for region in self._free] + [name for _, name in self._retired]
            self._free.clear()
            self._retired.clear()
        for name in names:
            self._unregister(name)

    def _take(self, size: int) -> Region | None:
        """A free region that is large enough; smaller ones make way, as windows of one size follow each other."""
        with self._lock:
            settled = time.monotonic() - self._settle_s
            gone = []
            while self._retired and self._retired[0][0] < settled:
                gone.append(self._retired.popleft()[1])
            fitting = [region for region in self._free if len(region.memory) >= size]
            gone += [region.name for region in self._free if region not in fitting]
            found = fitting.pop() if fitting else None
            self._free = fitting
        for name in gone:
            self._unregister(name)
        return found

    def _create(self, size: int) -> Region:
        token = secrets.token_hex(8)
        path = DIRECTORY / f"cdvd-{RUN}-{token}"
        name = f"{self._owner}{RUN}/{token}"
        try:
            memory = _map_new(path, size)
            self._client.register_system_shared_memory(
                name, f"/{path.name}", size, client_timeout=REGISTER_TIMEOUT_S
            )
        except (OSError, InferenceServerException) as error:
            raise SharingError(str(error)) from error
        finally:
            path.unlink(missing_ok=True)
        return Region(name, memory)

    def _retire(self, region: Region) -> None:
        """The server may still be at work on it, so it is forgotten later."""
        with self._lock:
            self._retired.append((time.monotonic(), region.name))

    def _unregister(self, name: str) -> None:
        with suppress(InferenceServerException):
            self._client.unregister_system_shared_memory(name, client_timeout=FORGET_TIMEOUT_S)


def _map_new(path: Path, size: int) -> mmap.mmap:
    """Memory that really is there: a page that /dev/shm has no room for would kill the process that touches it."""
    if not hasattr(os, "posix_fallocate"):
        raise SharingError("this system cannot reserve shared memory")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)
