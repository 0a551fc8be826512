"""Marks a directory as in use by a live process: the kernel takes the mark away with the process, however that ends."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NO_LOCKS = (errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL, errno.ENOSYS)
"""What network file systems answer that cannot lock a directory; age alone tells there whether it is in use."""
UNLOCKED_S = 3 * 3600.0
"""Seconds without a change after which nobody works in a directory that cannot be locked: whoever does changes it every
few minutes, on the slowest line that gateways put up with."""


class OccupiedDirectory:
    """A directory that ``kept_free`` finds in use until ``leave``, also after it was renamed."""

    def __init__(self, directory: Path) -> None:
        """Raises FileNotFoundError where the directory was removed by one who found it free."""
        self._descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(self._descriptor, fcntl.LOCK_SH)  # waits for one who looks at this moment
            if not directory.exists():
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(directory))
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Gives the directory up. May be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


@contextmanager
def kept_free(directory: Path) -> Iterator[bool]:
    """Tells whether no live process works in a directory; none begins to while the block runs.

    Where it cannot be locked, nobody does if it has not changed for ``UNLOCKED_S``.
    """
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        yield True
        return
    try:
        yield _is_free(descriptor, directory)
    finally:
        os.close(descriptor)


def _is_free(descriptor: int, directory: Path) -> bool:
    try:
        return _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB) or _rests(directory)
    except BlockingIOError:
        return False


def _rests(directory: Path) -> bool:
    try:
        latest = max(path.stat().st_mtime for path in (directory, *directory.iterdir()))
    except FileNotFoundError:  # Somebody is at work there at this moment.
        return False
    return latest + UNLOCKED_S < time.time()


def _lock(descriptor: int, kind: int) -> bool:
    """Locks a directory; returns False where the file system cannot. Raises BlockingIOError."""
    try:
        fcntl.flock(descriptor, kind)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        return False
    return True
