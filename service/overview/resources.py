"""Tells operators how much disk and memory the service takes."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import redis

from service.redis_state.connection import broker_errors

MEASURED_FOR_S = 60.0
"""Seconds for which the bytes of the files hold: to add them up, every file is looked at."""
JOBS, UPLOADS = ("jobs", "trash"), ("incoming", "uploads")
"""Folders of the data directory, by what is in them."""


@dataclass(frozen=True)
class DiskUse:
    """The disk of the data directory, in bytes."""

    total: int
    free: int
    reserve: int
    """Bytes that uploads leave free."""
    jobs: int
    """What the files of jobs take; 0 where they are in an object store."""
    uploads: int


@dataclass(frozen=True)
class BrokerUse:
    """The memory of Redis, in bytes; ``limit`` is None where it has none."""

    used: int
    limit: int | None


class Disk:
    """Measures the data directory of a gateway. Safe to use from several threads."""

    def __init__(self, data: Path, reserve: int) -> None:
        self._data = data
        self._reserve = reserve
        self._lock = threading.Lock()
        self._measured = (-MEASURED_FOR_S, 0, 0)

    def use(self) -> DiskUse:
        """Returns how the disk is used; the sums of files are up to MEASURED_FOR_S old."""
        space = shutil.disk_usage(self._data)
        jobs, uploads = self._sums()
        return DiskUse(space.total, space.free, self._reserve, jobs, uploads)

    def _sums(self) -> tuple[int, int]:
        with self._lock:
            when, jobs, uploads = self._measured
            if time.monotonic() - when >= MEASURED_FOR_S:
                jobs, uploads = (sum(self._bytes(folders)) for folders in (JOBS, UPLOADS))
                self._measured = (time.monotonic(), jobs, uploads)
            return jobs, uploads

    def _bytes(self, folders: tuple[str, ...]) -> Iterator[int]:
        for folder in folders:
            for directory, _, names in os.walk(self._data / folder):
                for name in names:
                    with suppress(OSError):  # removed since
                        yield (Path(directory) / name).stat().st_blocks * 512


def broker_use(client: redis.Redis) -> BrokerUse:
    """Returns what Redis takes. Raises BrokerUnavailable."""
    with broker_errors():
        info: dict[str, int] = client.info("memory")
    return BrokerUse(int(info["used_memory"]), int(info.get("maxmemory", 0)) or None)
