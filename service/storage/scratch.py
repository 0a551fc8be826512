"""Keeps local copies of remote files within a limit; the least recently used are removed when room is needed."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from service.errors.storage import LocalCopiesTooSmall, StorageUnavailable
from service.storage.disk import disk_errors
from service.storage.occupied import OccupiedDirectory, kept_free
from service.text import plural


@dataclass
class _Copy:
    """A local copy, which may still be fetched."""

    path: Path
    bytes: int
    users: int = 0
    complete: bool = False
    fetching: threading.Lock = field(default_factory=threading.Lock)


class Scratch:
    """Holds copies in a directory of its own below ``root``. Copies in use are never removed.

    What processes that have ended left below ``root`` goes at the start. ``max_bytes`` bounds the copies. Drafts come
    on top: a piece for each segment in work, or a result.
    """

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._own: Path | None = None
        self._max_bytes = max_bytes
        self._copies: OrderedDict[str, _Copy] = OrderedDict()
        self._lock = threading.Lock()
        _remove_abandoned(root)

    @contextmanager
    def copy(self, key: str, size: int, fetch: Callable[[Path], None]) -> Iterator[Path]:
        """Gives a local copy of the file ``key`` of ``size`` bytes, which ``fetch`` writes if it is not here yet.

        Raises LocalCopiesTooSmall for a file that can never fit, StorageUnavailable while copies in use leave no room.
        """
        copy = self._enter(key, size)
        try:
            with copy.fetching:
                if not copy.complete:
                    with disk_errors():
                        fetch(copy.path)
                    copy.complete = True
            yield copy.path
        finally:
            self._leave(key, copy)

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """Gives a path for a new file, which is removed when the block ends."""
        with self._lock:
            path = self._new_path()
        try:
            with disk_errors():
                yield path
        finally:
            path.unlink(missing_ok=True)

    def _enter(self, key: str, size: int) -> _Copy:
        with self._lock:
            copy = self._copies.get(key)
            if copy is None:
                self._make_room(size)
                copy = self._copies[key] = _Copy(self._new_path(), size)
            self._copies.move_to_end(key)
            copy.users += 1
            return copy

    def _leave(self, key: str, copy: _Copy) -> None:
        with self._lock:
            copy.users -= 1
            if not copy.users and not copy.complete:
                self._drop(key)

    def _make_room(self, wanted: int) -> None:
        if wanted > self._max_bytes:
            raise LocalCopiesTooSmall(
                f"A file of {plural(wanted, 'byte')} is larger than all local copies may be, "
                f"which is {plural(self._max_bytes, 'byte')}."
            )
        idle = [key for key, copy in self._copies.items() if not copy.users]
        while self._used() + wanted > self._max_bytes:
            if not idle:
                raise StorageUnavailable(
                    "The local copies in use leave no room for another file. Try again later."
                )
            self._drop(idle.pop(0))

    def _used(self) -> int:
        return sum(copy.bytes for copy in self._copies.values())

    def _drop(self, key: str) -> None:
        self._copies.pop(key).path.unlink(missing_ok=True)

    def _new_path(self) -> Path:
        if self._own is None:
            with disk_errors():
                self._own = _begin(self._root)
        return self._own / secrets.token_hex(16)


def _begin(root: Path) -> Path:
    """Makes a directory and occupies it for as long as this process lives."""
    while True:
        directory = root / secrets.token_hex(16)
        directory.mkdir(mode=0o700, parents=True)
        with suppress(FileNotFoundError):  # Another process took it for abandoned before it was occupied.
            OccupiedDirectory(directory)
            return directory


def _remove_abandoned(root: Path) -> None:
    """Removes what nobody uses any more; several processes may have the same ``root``."""
    with suppress(OSError):  # Nothing there yet, or a disk that cannot be used, which the first copy says.
        for entry in root.iterdir():
            if not entry.is_dir():
                entry.unlink(missing_ok=True)
                continue
            with kept_free(entry) as free:
                if free:
                    shutil.rmtree(entry, ignore_errors=True)
