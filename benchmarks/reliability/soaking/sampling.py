"""Measures a running service from outside: its processes, its Redis and its directory."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import psutil
import redis

from benchmarks.reliability.soaking.growth import Series

PARTS = {"gateway": "service.api", "worker": "service.worker", "Redis": "redis-server"}
"""Words in the command line of each part."""
MEMORY_MIB = {"gateway": 8.0, "worker": 24.0, "Redis": 8.0}
"""How much more memory a part may have at the end: allocators breathe."""
FILES_MIB = 4.0
HANDLES = 6.0
"""Descriptors and threads more: clients come and go."""
KEYS = 60.0
"""Keys of some jobs that are in work at one moment and not at another."""
_MIB = 1 << 20


class Sampler:
    """Adds to its series with each sample."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._redis = redis.Redis(unix_socket_path=str(data / "run" / "redis.sock"))
        self._began = time.monotonic()
        self._series: dict[str, Series] = {}

    def series(self) -> list[Series]:
        """Returns everything that was measured."""
        return list(self._series.values())

    def sample(self) -> None:
        """Measures everything once."""
        for name, process in _parts().items():
            with suppress(psutil.NoSuchProcess):
                self._add(f"{name}, memory", "MiB", MEMORY_MIB[name], process.memory_info().rss / _MIB, 1)
                self._add(f"{name}, descriptors", "", HANDLES, process.num_fds())
                self._add(f"{name}, threads", "", HANDLES, process.num_threads())
        memory = self._redis.info("memory")["used_memory"]
        self._add("Redis, data", "MiB", MEMORY_MIB["Redis"], memory / _MIB, 2)
        clients = self._redis.info("clients")["connected_clients"]
        self._add("Redis, clients", "", HANDLES, clients)
        self._add("Redis, keys", "", KEYS, self._redis.dbsize())
        files = sum(_size(self._data / name) for name in ("jobs", "incoming", "uploads", "trash"))
        self._add("files of jobs and uploads", "MiB", FILES_MIB, files / _MIB, 2)
        self._add("logs", "MiB", None, _size(self._data / "logs") / _MIB, 2)
        self._add("Redis, log of changes", "MiB", None, _size(self._data / "redis") / _MIB, 2)

    def _add(self, name: str, unit: str, allowed: float | None, value: float, digits: int = 0) -> None:
        one = self._series.setdefault(name, Series(name, unit, allowed, digits))
        one.add(time.monotonic() - self._began, value)


def _parts() -> dict[str, psutil.Process]:
    found: dict[str, psutil.Process] = {}
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            command = " ".join(child.cmdline())
            found.update({name: child for name, word in PARTS.items() if word in command})
    return found


def _size(directory: Path) -> int:
    """Returns the bytes of all files below a directory, of those that stay while they are counted."""
    total = 0
    for path in directory.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_blocks * 512
    return total
