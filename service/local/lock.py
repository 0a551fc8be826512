"""Locks a data directory, so that one service at a time works in it."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Self

from service.errors.startup import DataInUse
from service.local.data_version import must_be_writable

PATIENCE_S = 2.0
"""Seconds to wait for the lock: the Redis of a service that was killed holds it until its last changes are written."""


class DirectoryLock:
    """A lock that is held as long as this process, or a child that ``fileno`` is passed to, has its file open."""

    def __init__(self, directory: Path) -> None:
        """Raises DataUnwritable."""
        self._directory = directory
        with must_be_writable(directory):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> Self:
        """Takes the lock. Raises DataInUse while another service holds it."""
        try:
            self._acquire()
        except DataInUse:
            os.close(self._fd)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    def fileno(self) -> int:
        """Returns the file descriptor, for children that hold the lock as well."""
        return self._fd

    def _acquire(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise self._refusal() from None
                time.sleep(0.1)
            else:
                os.ftruncate(self._fd, 0)
                os.pwrite(self._fd, str(os.getpid()).encode(), 0)
                return

    def _refusal(self) -> DataInUse:
        holder = os.pread(self._fd, 20, 0).decode("ascii", "replace") or "unknown"
        return DataInUse(
            f"{self._directory} is in use by another running service (process {holder}). "
            "Stop that one, or choose another data directory."
        )
