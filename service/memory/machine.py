"""Tells how much memory this process may take: the container's limit, else the machine's."""

from __future__ import annotations

import re
from pathlib import Path

_KIB = 1024
_NO_LIMIT = 1 << 60
"""Version 1 of control groups writes a number near 2 to the 63 where there is no limit."""


_SHARE = 0.9
"""Of the memory that is free where nothing was set; the rest is for what lives beside the worker."""


def worker_memory(setting: int | None) -> int | None:
    """Returns the bytes that a worker may take, as set or of what there is; None where nobody says."""
    found = memory_limit() if setting is None else None
    return setting if found is None else int(found * _SHARE)


def memory_limit(root: Path = Path("/")) -> int | None:
    """Returns the bytes that this process, alone on the machine, may take; None where the system does not tell.

    The least of the machine's free memory and of the limits of the control groups (version 1 and 2) that it is in.
    ``root``: where ``proc`` and ``sys`` are; tests give another.
    """
    found = [value for value in (_machine(root), *_control_groups(root)) if value is not None]
    return min(found, default=None)


def _machine(root: Path) -> int | None:
    match = re.search(r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    return int(match[1]) * _KIB if match else None


def _control_groups(root: Path) -> list[int]:
    """Returns the limits of the groups of this process and of all groups around them."""
    limits = []
    mounts = root / "sys/fs/cgroup"
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, controllers, place = line.split(":", 2)
        if not controllers:
            limits += _upwards(mounts, place, "memory.max")
        elif "memory" in controllers.split(","):
            limits += _upwards(mounts / "memory", place, "memory.limit_in_bytes")
    return limits


def _upwards(mount: Path, place: str, name: str) -> list[int]:
    """Reads ``name`` in ``place`` below ``mount`` and above it; in a container the mount is its own group."""
    parts = [part for part in place.split("/") if part and part != ".."]
    directories = [mount.joinpath(*parts[:count]) for count in range(len(parts) + 1)]
    texts = [_read(directory / name).strip() for directory in directories]
    return [int(text) for text in texts if text.isdigit() and int(text) < _NO_LIMIT]


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
