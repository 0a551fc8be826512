"""Keeps uploads that arrive in several requests, in a directory that all gateways share.

    <root>/<id>/about.json       length, file name and metadata as the client stated them
    <root>/<id>/data             the bytes so far: the size of this file is the offset
    <root>/<id>/stop             there while another request asks the one that writes to stop

Nothing else is kept, so an upload whose gateway dies continues where its file ends. The room for the bytes to come is
taken from the disk at the creation, and given back after ``PROMISE_S`` without a byte: who goes on later asks anew. An
upload that is slower than the least rate over all its life has no more room than its bytes take.
"""

from __future__ import annotations

import copy
import errno
import fcntl
import json
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from service.errors.storage import StorageFull
from service.errors.upload import UploadLocked, UploadNotFound, UploadOffsetMismatch
from service.storage.disk import claim_space, disk_errors, give_back_space, require_space
from service.storage.partial_upload import Appender, PartialUpload
from service.text import plural

_ID = re.compile(r"[0-9a-f]{32}")
MOST_UPLOADS = 10_000
"""In one directory, of all tenants: each takes files, and a sweep looks at all of them."""
_PRIVATE = 0o700
PROMISE_S = 600.0
"""Seconds without a byte after which an upload has no more room than its bytes take: else creations alone, of which
nothing ever arrives, would fill the disk until they expire."""


@dataclass(frozen=True)
class _Description:
    """The contents of ``about.json``."""

    length: int
    filename: str
    metadata: str
    owner: str = ""


class UploadSpool:
    """Creates, finds and removes resumable uploads below ``root``.

    ``keep_s``: seconds after its last byte at which an upload expires. ``longest_s``: seconds after its creation at
    which an incomplete one expires all the same. ``reserve_bytes`` of the disk stay free.
    ``least_rate``: bytes per second since its creation, after ``PROMISE_S``, without which an upload has no room ahead.
    """

    def __init__(
        self,
        root: Path,
        keep_s: float,
        longest_s: float = math.inf,
        reserve_bytes: int = 0,
        least_rate: float = 0.0,
    ) -> None:
        self._root = root
        self.keep_s = keep_s
        self._longest_s = longest_s
        self._reserve = reserve_bytes
        self._least_rate = least_rate
        self._owner: str | None = None
        root.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)

    def of(self, owner: str) -> UploadSpool:
        """Returns this spool as one tenant sees it: without the uploads of others."""
        view = copy.copy(self)
        view._owner = owner
        return view

    def create(
        self, length: int, filename: str, metadata: str, upload_id: str | None = None
    ) -> PartialUpload:
        """Creates an empty upload of ``length`` bytes to come.

        ``upload_id``: one from ``new_upload_id``; None makes one. Raises StorageFull unless ``length`` bytes fit, and
        where there are MOST_UPLOADS.
        """
        with disk_errors(errno.ENOENT):
            self._make_room(length)
        upload_id = upload_id or new_upload_id()
        about = _Description(length, filename, metadata, self._owner or "")
        directory = self._root / upload_id
        try:
            with disk_errors():
                directory.mkdir(mode=_PRIVATE)
                (directory / "about.json").write_text(json.dumps(asdict(about)))
                with (directory / "data").open("xb") as data:
                    claim_space(data.fileno(), directory / "data", length, self._reserve)
        except StorageFull:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        return self.get(upload_id)

    def get(self, upload_id: str) -> PartialUpload:
        """Returns an upload as it is now. Raises UploadNotFound, and UploadExpired for one that a sweep will remove."""
        directory = self._root / upload_id
        try:
            if not _ID.fullmatch(upload_id):
                raise FileNotFoundError
            with disk_errors():
                about, created_at = _described(directory)
                state = (directory / "data").stat()
        except (FileNotFoundError, ValueError):
            raise UploadNotFound(f"There is no upload {upload_id[:64]!r}, or it has expired.") from None
        if self._owner not in (None, about.owner):
            raise UploadNotFound(f"There is no upload {upload_id!r}, or it has expired.")
        partial = PartialUpload(
            upload_id,
            directory / "data",
            about.length,
            state.st_size,
            about.filename,
            about.metadata,
            state.st_mtime + self.keep_s,
            created_at + self._longest_s,
            about.owner,
        )
        partial.require_time()
        return partial

    @contextmanager
    def appending(self, upload_id: str, offset: int) -> Iterator[Appender]:
        """Opens an upload for writing at ``offset``.

        Raises UploadNotFound, UploadExpired, UploadLocked while another request writes, UploadOffsetMismatch where
        ``offset`` is not the upload's own, and StorageFull.
        """
        partial = self.get(upload_id)
        descriptor = self._open(partial)
        try:
            _lock(descriptor)
            partial = self.get(upload_id)  # as it is now that nobody else writes
            partial.stop_mark.unlink(missing_ok=True)
            if partial.offset != offset:
                raise UploadOffsetMismatch(
                    f"The upload has {plural(partial.offset, 'byte')}, so it continues there and not at {offset}."
                )
            yield Appender(descriptor, partial, self._reserve, self._is_fast(partial.path.parent))
        finally:
            os.close(descriptor)

    def ask_to_stop(self, upload_id: str) -> None:
        """Asks the request that writes to an upload to end, in whichever gateway it is. Raises UploadNotFound."""
        with disk_errors(), suppress(FileNotFoundError):
            self.get(upload_id).stop_mark.touch()

    def remove(self, upload_id: str) -> None:
        """Removes an upload with its bytes. Raises UploadNotFound; StorageUnavailable if it stays."""
        directory = self.get(upload_id).path.parent
        doomed = directory.with_name(f"{secrets.token_hex(16)}.gone")
        with disk_errors():
            directory.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)  # what stays goes with the next sweep after its time

    def sweep(self) -> int:
        """Removes the uploads that have expired, and frees the room of those that rest or are too slow.

        Returns how many it removed.
        """
        removed, now = 0, time.time()
        for directory in self._root.iterdir():
            with suppress(FileNotFoundError):
                changed = max(path.stat().st_mtime for path in (directory, *directory.iterdir()))
                if changed + self.keep_s < now or self._is_too_old(directory):
                    shutil.rmtree(directory, ignore_errors=True)
                    removed += 1
                elif changed + PROMISE_S < now or not self._is_fast(directory):
                    _end_promise(directory / "data")
        return removed

    def _is_too_old(self, directory: Path) -> bool:
        """Returns whether an upload is incomplete after its longest time; a request that writes notices itself."""
        try:
            about, created_at = _described(directory)
        except ValueError:  # A gateway died while it wrote the description; what rests goes after its time.
            return False
        if created_at + self._longest_s >= time.time():
            return False
        return (directory / "data").stat().st_size < about.length

    def _make_room(self, length: int) -> None:
        """Removes the uploads that have expired. Raises StorageFull if there is no room for another one."""
        self.sweep()
        if sum(1 for _ in self._root.iterdir()) >= MOST_UPLOADS:
            raise StorageFull(
                f"The service has {plural(MOST_UPLOADS, 'upload')} of which no job was made; try again later."
            )
        require_space(self._root, length, self._reserve)

    def _is_fast(self, directory: Path) -> bool:
        """Returns whether an upload comes fast enough to have room for the bytes to come."""
        age_s = time.time() - (directory / "about.json").stat().st_mtime
        return (directory / "data").stat().st_size >= self._least_rate * (age_s - PROMISE_S)

    def _open(self, partial: PartialUpload) -> int:
        try:
            with disk_errors():
                return os.open(partial.path, os.O_WRONLY | os.O_APPEND)
        except FileNotFoundError:
            raise UploadNotFound(f"Upload {partial.id} was removed.") from None


def _described(directory: Path) -> tuple[_Description, float]:
    """Returns what is known of an upload, and when it was created, in Unix seconds."""
    with (directory / "about.json").open() as file:
        return _Description(**json.load(file)), os.fstat(file.fileno()).st_mtime


def new_upload_id() -> str:
    """Returns 128 random bits in hex, which nobody can guess."""
    return secrets.token_hex(16)


def _lock(descriptor: int) -> None:
    """Locks the file; the kernel unlocks it when the gateway closes it or ends. Raises UploadLocked."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UploadLocked("Another request is writing to this upload and does not end.") from None


def _end_promise(path: Path) -> None:
    """Frees the room for bytes to come, unless somebody writes."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        with suppress(UploadLocked):
            _lock(descriptor)
            give_back_space(descriptor)
    finally:
        os.close(descriptor)
