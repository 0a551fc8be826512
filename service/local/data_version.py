"""The layout of a data directory has a number, so that no release reads files that it does not understand.

``version.json`` in the directory says which layout it has. A newer cdvd brings an older directory up to date, step by
step, before anything else opens it; an older one refuses a newer directory. Layout 1 is the first: Redis' files in
``redis/``, uploads in ``incoming/`` and ``uploads/``, jobs in ``jobs/<id>/``.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from service.distribution import installed
from service.errors.startup import DataUnwritable, DataVersionUnsupported

FILE = "version.json"
LOCK = "version.lock"
FIRST = 1
"""The layout of directories from before there was a number in them."""

Migration = Callable[[Path], None]
"""Turns the layout of a directory into the next one. It may have been interrupted before, and is then run again."""

MIGRATIONS: Mapping[int, Migration] = {}
"""By the layout that they start from: ``MIGRATIONS[1]`` makes layout 2 of layout 1, and so on without a gap."""

_UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT)
_KNOWN = ("redis", "incoming", "uploads", "jobs", "trash")


def newest(migrations: Mapping[int, Migration] = MIGRATIONS) -> int:
    """Returns the layout that this cdvd reads and writes."""
    return FIRST + len(migrations)


def open_data_directory(directory: Path, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Makes the directory where there is none, and brings its layout up to date.

    Several processes may do so at once. Raises DataVersionUnsupported for the directory of a newer cdvd, and for one
    whose number cannot be read; nothing in it is then changed. Raises DataUnwritable where this process may not write
    there.
    """
    with must_be_writable(directory):
        _bring_up_to_date(directory, migrations)
        with tempfile.TemporaryFile(dir=directory):
            pass  # the number may be right, and the directory read-only


@contextmanager
def must_be_writable(directory: Path) -> Iterator[None]:
    """Raises DataUnwritable where this process may not write in a data directory."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise  # tells of the disk or of a migration, not of the directory
        raise DataUnwritable(
            f"The data directory {directory} cannot be used: {error.strerror}. Make it writable for this user, or "
            "choose another."
        ) from error


def _bring_up_to_date(directory: Path, migrations: Mapping[int, Migration]) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_known_layout(directory, migrations)
    if _layout(directory) == newest(migrations):
        return
    with _locked(directory):
        layout = _layout(directory)
        if layout is None:
            layout = FIRST if _has_content(directory) else newest(migrations)
            _stamp(directory, layout)
        require_known_layout(directory, migrations)  # a newer cdvd may have been faster
        for number in range(layout, newest(migrations)):
            migrations[number](directory)
            _stamp(directory, number + 1)


def require_known_layout(directory: Path, migrations: Mapping[int, Migration] = MIGRATIONS) -> None:
    """Raises DataVersionUnsupported where ``open_data_directory`` would; changes nothing."""
    layout = _layout(directory)
    if layout is not None and layout > newest(migrations):
        raise DataVersionUnsupported(
            f"The data in {directory} is of a newer cdvd: its layout is {layout}, and this cdvd {installed().version} "
            f"knows layouts up to {newest(migrations)}. Update cdvd, or choose another data directory."
        )


def _layout(directory: Path) -> int | None:
    """Returns the number in the directory; None where there is none yet."""
    try:
        layout = json.loads((directory / FILE).read_bytes())["layout"]
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError) as error:
        raise _unreadable(directory) from error
    if type(layout) is not int or layout < FIRST:
        raise _unreadable(directory)
    return layout


def _unreadable(directory: Path) -> DataVersionUnsupported:
    return DataVersionUnsupported(
        f"{directory / FILE} does not say which layout the data has. Restore that file from a backup, or choose "
        "another data directory."
    )


def _has_content(directory: Path) -> bool:
    return any((directory / name).exists() for name in _KNOWN)


def _stamp(directory: Path, layout: int) -> None:
    """Writes the number, so that a crash leaves either the old one or the new one."""
    text = json.dumps({"layout": layout, "written_by": f"cdvd {installed().version}"}, indent=2)
    with tempfile.NamedTemporaryFile("w", dir=directory, prefix=f".{FILE}-", delete=False) as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).rename(directory / FILE)


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    """Lets one process at a time look and migrate; the others wait."""
    lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
