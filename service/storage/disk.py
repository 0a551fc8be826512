"""Finds out that a disk is full: before anything is written, and when it happens."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors.storage import StorageFull
from service.text import plural


def require_space(directory: Path, wanted: int, reserve: int) -> None:
    """Raises StorageFull unless ``wanted`` bytes can be written and ``reserve`` bytes of the disk stay free."""
    free = shutil.disk_usage(directory).free
    if free < wanted + reserve:
        raise StorageFull(
            f"The disk has {plural(free, 'byte')} free; {wanted} are needed, and {reserve} must stay free. "
            "Try again later."
        )


@contextmanager
def full_disk() -> Iterator[None]:
    """Turns the error of a disk without room into StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise StorageFull("The disk of the service is full. Try again later.") from error
