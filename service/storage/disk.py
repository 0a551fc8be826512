"""Keeps room on a disk that several processes write to: what a writer was promised is taken from the disk at once.

A promise is made of blocks that the kernel gives to the file before its bytes arrive, so all writers of all processes
see it as space that is gone, and nothing has to be undone when one of them dies: whoever removes the file frees it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors.storage import StorageError, StorageFull, StorageUnavailable
from service.text import plural

_BLOCK = 512
"""Bytes of the blocks that the kernel counts in ``st_blocks``."""
_KEEP_SIZE = 1
"""Of fallocate(2): a file that grows in blocks, not in size."""
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ENODEV)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_UNUSABLE = (
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTDIR, errno.ENODEV, errno.ENXIO),
    *(errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.EMFILE, errno.ENFILE),
)


def require_space(directory: Path, wanted: int, reserve: int) -> None:
    """Raises StorageFull unless ``wanted`` bytes can be written and ``reserve`` bytes of the disk stay free."""
    free = shutil.disk_usage(directory).free
    if free < wanted + reserve:
        raise StorageFull(
            f"The disk has {plural(free, 'byte')} free; {wanted} are needed, and {reserve} must stay free. "
            "Try again later."
        )


def claim_space(descriptor: int, path: Path, size: int, reserve: int) -> None:
    """Takes room for a file of ``size`` bytes in all, so that ``reserve`` bytes of the disk stay free.

    The size of the file stays as it is; closing and truncating do with the blocks what they always do. Where a file
    system cannot give blocks in advance, the room is only looked for. Raises StorageFull.
    """
    state = os.fstat(descriptor)
    missing = size - state.st_blocks * _BLOCK
    if missing <= 0:
        return
    require_space(path.parent, missing, reserve)
    with disk_errors():
        _allocate(descriptor, size)
    try:
        require_space(path.parent, 0, reserve)  # others may have claimed at the same moment
    except StorageFull:
        os.ftruncate(descriptor, state.st_size)
        raise


@contextmanager
def held_space(directory: Path, size: int) -> Iterator[Callable[[int], None]]:
    """Takes ``size`` bytes of a disk for what is to be written below ``directory`` until the block ends.

    Gives a function to call with the bytes that are still to be held, as the others are used. Whatever becomes of this
    process, the room is free afterwards. Where a file system gives none in advance, it is only looked for. Raises
    StorageFull.
    """
    require_space(directory, size, 0)
    with disk_errors(), tempfile.TemporaryFile(dir=directory) as file:
        _allocate(file.fileno(), size, keep_size=False)
        yield lambda still: os.ftruncate(file.fileno(), min(still, os.fstat(file.fileno()).st_size))


def give_back_space(descriptor: int) -> None:
    """Frees the room that was taken for bytes that have not arrived; the file's times stay as they are."""
    state = os.fstat(descriptor)
    os.ftruncate(descriptor, state.st_size)
    os.utime(descriptor, ns=(state.st_atime_ns, state.st_mtime_ns))


@contextmanager
def disk_errors(*more: int) -> Iterator[None]:
    """Turns the error of a disk without room into StorageFull, of one that takes no writes into StorageUnavailable.

    ``more``: further error numbers that mean that it takes none.
    """
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        number = _number(error, (*_FULL, *_UNUSABLE, *more))
        if number is None:
            raise
        if number in _FULL:
            raise StorageFull("The disk of the service is full. Try again later.") from error
        raise StorageUnavailable(
            f"The disk of the service cannot be used: {os.strerror(number)}. Try again later."
        ) from error


def _number(error: BaseException | None, numbers: Collection[int]) -> int | None:
    """Returns the first of ``numbers`` that is what went wrong, whatever was made of it since."""
    while error is not None:
        number: int | None = getattr(error, "errno", None)
        if number in numbers:
            return number
        error = error.__cause__ or error.__context__
    return None


def _allocate(descriptor: int, size: int, keep_size: bool = True) -> None:
    if sys.platform != "linux" or not size:
        return
    fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    while fallocate(descriptor, _KEEP_SIZE if keep_size else 0, 0, size):
        code = ctypes.get_errno()
        if code in _UNSUPPORTED:
            return
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code))
