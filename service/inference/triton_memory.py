"""Shares memory between this process and a Triton on the same machine, so that windows need not be sent.

A region is created under a name of its own, registered with the server, and unlinked at once: both sides keep their
mapping, and whichever process dies later, no file is left. A server that cannot open the region is on
another machine, runs as another user, or was started without ``--allow-client-shm=true`` where its version asks for it.
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
"""Distinguishes the regions of this process from those of all others, also of one with the same id on another host."""
REGISTER_TIMEOUT_S = 3.0
"""A server answers at once, whatever its networks do; one that does not gets the window by message instead."""
FORGET_TIMEOUT_S = 1.0


class SharingError(Exception):
    """The server cannot use this memory, or there is none left. The window can go by message."""


@dataclass(frozen=True)
class Region:
    """Memory that the server has mapped as well, under ``name``."""

    name: str
    memory: mmap.mmap

    def frames(self, offset: int, shape: tuple[int, ...]) -> Frames:
        """Returns a view of the memory from ``offset`` bytes on: uint8 [T, H, W, 3]."""
        count = int(np.prod(shape))
        return np.frombuffer(self.memory, np.uint8, count, offset).reshape(shape)


class SharedMemory:
    """Lends and reuses the regions that one server has mapped."""

    def __init__(self, client: Any, owner: str, settle_s: float) -> None:
        """``client``: an ``InferenceServerClient``. ``owner``: this worker's name, which a restart keeps.

        ``settle_s``: seconds for which the server may still use the region of a call that was given up.
        """
        self._client = client
        self._owner = f"cdvd/{owner}/"
        self._settle_s = settle_s
        self._free: list[Region] = []
        self._retired: deque[tuple[float, str]] = deque()
        self._lock = Lock()

    @contextmanager
    def region(self, size: int) -> Iterator[Region]:
        """Lends a region of at least ``size`` bytes to one call; it is not used again after an error.

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
        """Makes the server release the regions of this worker's earlier processes. Raises SharingError."""
        try:
            known = self._client.get_system_shared_memory_status(client_timeout=REGISTER_TIMEOUT_S).regions
        except InferenceServerException as error:
            raise SharingError(str(error)) from error
        for name in known:
            if name.startswith(self._owner) and not name.startswith(f"{self._owner}{RUN}/"):
                self._unregister(name)

    def forget(self) -> None:
        """Uses none of the present regions again, because the server may have lost them."""
        with self._lock:
            self._retired.extend((time.monotonic(), region.name) for region in self._free)
            self._free.clear()

    def close(self) -> None:
        """Makes the server release all regions; ignores errors."""
        with self._lock:
            names = [region.name for region in self._free] + [name for _, name in self._retired]
            self._free.clear()
            self._retired.clear()
        for name in names:
            self._unregister(name)

    def _take(self, size: int) -> Region | None:
        """Returns a free region that is large enough, or None.

        Smaller ones are released, because windows of one size follow each other.
        """
        with self._lock:
            settled = time.monotonic() - self._settle_s
            gone = []
            while self._retired and self._retired[0][0] < settled:
                gone.append(self._retired.popleft()[1])
            fitting = [region for region in self._free if len(region.memory) >= size]
            gone += [region.name for region in self._free if region not in fitting]
            region = fitting.pop() if fitting else None
            self._free = fitting
        for name in gone:
            self._unregister(name)
        return region

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
        """Has a region released later, because the server may still use it."""
        with self._lock:
            self._retired.append((time.monotonic(), region.name))

    def _unregister(self, name: str) -> None:
        with suppress(InferenceServerException):
            self._client.unregister_system_shared_memory(name, client_timeout=FORGET_TIMEOUT_S)


def _map_new(path: Path, size: int) -> mmap.mmap:
    """Returns reserved memory: touching a page for which /dev/shm has no room would kill the process.

    Raises SharingError and OSError.
    """
    if not hasattr(os, "posix_fallocate"):
        raise SharingError("This system cannot reserve shared memory.")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, size)
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)
