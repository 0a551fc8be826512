"""Uploads that arrive in several requests, in a directory that all gateways share.

    <root>/<id>/about.json       what the client said about it
    <root>/<id>/data             the bytes so far: its size is the offset

Nothing else is kept, so a gateway that dies leaves an upload that goes on where its file ends.
"""

from __future__ import annotations

import copy
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from service.errors import (
    StorageFull,
    UploadLocked,
    UploadNotFound,
    UploadOffsetMismatch,
    UploadTooLarge,
)
from service.storage.filesystem import full_disk

_ID = re.compile(r"[0-9a-f]{32}")
_PRIVATE = 0o700


@dataclass(frozen=True)
class Partial:
    """An upload as it is now; sizes in bytes, times in unix seconds."""

    id: str
    path: Path
    length: int
    offset: int
    filename: str
    metadata: str
    """As the client sent it."""
    expires_at: float
    """Puts off with every byte that arrives."""
    owner: str = ""
    """Whose it is."""

    @property
    def complete(self) -> bool:
        return self.offset == self.length


@dataclass(frozen=True)
class _About:
    length: int
    filename: str
    metadata: str
    owner: str = ""


class Appender:
    """The one writer of an upload. Methods raise StorageFull, UploadTooLarge."""

    def __init__(self, file_descriptor: int, partial: Partial) -> None:
        self._file = file_descriptor
        self._begun_at = partial.offset
        self._length = partial.length
        self.offset = partial.offset

    def write(self, data: bytes) -> None:
        if self.offset + len(data) > self._length:
            raise UploadTooLarge(f"more than the {self._length} bytes that were announced")
        with full_disk():
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        self.offset += len(data)

    def undo(self) -> None:
        """Forget what this appender wrote."""
        os.ftruncate(self._file, self._begun_at)
        self.offset = self._begun_at


class UploadSpool:
    """``keep_s``: how long an upload waits for its next byte; ``reserve_bytes`` of the disk stay free."""

    def __init__(self, root: Path, keep_s: float, reserve_bytes: int = 0) -> None:
        self._root = root
        self.keep_s = keep_s
        self._reserve = reserve_bytes
        self._owner: str | None = None
        root.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)

    def of(self, owner: str) -> UploadSpool:
        """The same spool, in which there are the uploads of one owner and no others."""
        view = copy.copy(self)
        view._owner = owner
        return view

    def create(self, length: int, filename: str, metadata: str, upload_id: str | None = None) -> Partial:
        """``upload_id``: one from ``new_upload_id``. Raises StorageFull unless ``length`` bytes fit. Removes what
        has expired.
        """
        self.sweep()
        self._check_space(length)
        upload_id = upload_id or new_upload_id()
        about = _About(length, filename, metadata, self._owner or "")
        directory = self._root / upload_id
        with full_disk():
            directory.mkdir(mode=_PRIVATE)
            (directory / "about.json").write_text(json.dumps(asdict(about)))
            (directory / "data").touch()
        return self.get(upload_id)

    def get(self, upload_id: str) -> Partial:
        """Raises UploadNotFound, also for what has expired or cannot be an id."""
        directory = self._root / upload_id
        try:
            if not _ID.fullmatch(upload_id):
                raise FileNotFoundError
            about = _About(**json.loads((directory / "about.json").read_text()))
            state = (directory / "data").stat()
        except (FileNotFoundError, ValueError):
            raise UploadNotFound(f"there is no upload {upload_id[:64]!r}, or it has expired") from None
        if self._owner not in (None, about.owner):
            raise UploadNotFound(f"there is no upload {upload_id!r}, or it has expired")
        expires_at = state.st_mtime + self.keep_s
        if expires_at < time.time():
            raise UploadNotFound(f"upload {upload_id} has expired")
        return Partial(
            upload_id,
            directory / "data",
            about.length,
            state.st_size,
            about.filename,
            about.metadata,
            expires_at,
            about.owner,
        )

    @contextmanager
    def appending(self, upload_id: str, offset: int) -> Iterator[Appender]:
        """Write on at ``offset``. Raises UploadNotFound, UploadLocked while another request writes,
        UploadOffsetMismatch and StorageFull.
        """
        partial = self.get(upload_id)
        descriptor = self._open(partial)
        try:
            _lock(descriptor)
            partial = self.get(upload_id)  # as it is now that nobody else writes
            if partial.offset != offset:
                raise UploadOffsetMismatch(f"the upload has {partial.offset} bytes, not {offset}")
            self._check_space(partial.length - offset)
            yield Appender(descriptor, partial)
        finally:
            os.close(descriptor)

    def remove(self, upload_id: str) -> None:
        """Raises UploadNotFound."""
        shutil.rmtree(self.get(upload_id).path.parent, ignore_errors=True)

    def sweep(self) -> int:
        """Remove what has expired; returns how many."""
        removed = 0
        for directory in self._root.iterdir():
            with suppress(FileNotFoundError):
                changed = max(path.stat().st_mtime for path in (directory, *directory.iterdir()))
                if changed + self.keep_s < time.time():
                    shutil.rmtree(directory, ignore_errors=True)
                    removed += 1
        return removed

    def _open(self, partial: Partial) -> int:
        try:
            return os.open(partial.path, os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            raise UploadNotFound(f"upload {partial.id} was removed") from None

    def _check_space(self, wanted: int) -> None:
        free = shutil.disk_usage(self._root).free
        if free < wanted + self._reserve:
            raise StorageFull(
                f"{free} bytes are free; {wanted} are needed and {self._reserve} stay free; try again later"
            )


def new_upload_id() -> str:
    """128 random bits: cannot be guessed."""
    return secrets.token_hex(16)


def _lock(descriptor: int) -> None:
    """The kernel lets go when the gateway does, however that ends."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UploadLocked("another request is writing to this upload") from None
