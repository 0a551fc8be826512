"""A resumable upload as it is now, and what appends to it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from service.errors.storage import StorageFull
from service.errors.upload import UploadExpired, UploadLocked, UploadTooLarge
from service.storage.disk import claim_space, disk_errors
from service.text import plural


@dataclass(frozen=True)
class PartialUpload:
    """An upload as it is now; sizes in bytes, times in Unix seconds."""

    id: str
    path: Path
    length: int
    """Bytes of the whole upload."""
    offset: int
    """Bytes that have arrived."""
    filename: str
    metadata: str
    """The ``Upload-Metadata`` header as the client sent it."""
    rests_until: float
    """When it expires without another byte; moves on with every byte that arrives."""
    ends_at: float
    """When it expires all the same, unless it is complete by then."""
    owner: str = ""
    """The tenant."""

    @property
    def complete(self) -> bool:
        return self.offset == self.length

    @property
    def expires_at(self) -> float:
        return self.rests_until if self.complete else min(self.rests_until, self.ends_at)

    def require_time(self) -> None:
        """Raises UploadExpired once its time is over."""
        if self.expires_at < time.time():
            raise UploadExpired(f"Upload {self.id} has expired; begin another one.")

    @property
    def stop_mark(self) -> Path:
        """A file that is there while another request asks the one that writes to stop."""
        return self.path.with_name("stop")


class Appender:
    """Appends to an upload, as its only writer at the time."""

    def __init__(
        self, file_descriptor: int, partial: PartialUpload, reserve: int, has_room_ahead: bool = True
    ) -> None:
        """Takes the room for all bytes to come, so that ``reserve`` bytes stay free. Raises StorageFull.

        Without ``has_room_ahead`` it is taken as they come.
        """
        self._file = file_descriptor
        self._path = partial.path
        self._reserve = reserve
        self._stop = partial.stop_mark
        self._ends_at = partial.ends_at
        self._begun_at = partial.offset
        self._length = partial.length
        self._has_room_ahead = has_room_ahead
        self.offset = partial.offset
        self._claim()

    def write(self, data: bytes) -> None:
        """Appends ``data``. Raises StorageFull, and UploadTooLarge for more bytes than were announced."""
        if self.offset + len(data) > self._length:
            raise UploadTooLarge(
                f"The upload has more bytes than were announced: {plural(self._length, 'byte')}."
            )
        if not self._has_room_ahead:
            self._claim(len(data))
        with disk_errors():
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        self.offset += len(data)

    def require_turn(self) -> None:
        """Raises UploadLocked once another request waits to write, UploadExpired after the upload's longest time."""
        if self._stop.exists():
            raise UploadLocked("Another request goes on with this upload.")
        if self._ends_at < time.time():
            raise UploadExpired("This upload has not become complete in its time; begin another one.")

    def undo(self) -> None:
        """Removes the bytes that this appender wrote, and keeps the room for them: they are to come again."""
        os.ftruncate(self._file, self._begun_at)
        self.offset = self._begun_at
        with suppress(StorageFull):  # Somebody was quicker; the next appender asks for the room.
            self._claim()

    def _claim(self, coming: int = 0) -> None:
        size = self._length if self._has_room_ahead else self.offset + coming
        claim_space(self._file, self._path, size, self._reserve)
