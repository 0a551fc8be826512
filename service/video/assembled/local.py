"""Files as libraries want them: one on the disk that closes itself, and one that gives all bytes that are asked for."""

from __future__ import annotations

import io
import os
from pathlib import Path

from service.video.seeking import SeekableFile


class LocalFile(SeekableFile):
    """Read-only. What FFmpeg reads through has no end of its own, so the file ends with the last reference."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDONLY)
        super().__init__(os.fstat(self._descriptor).st_size)

    def read(self, size: int = -1) -> bytes:
        data = os.pread(self._descriptor, self._size if size < 0 else size, self._at)
        self._at += len(data)
        return data

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


class WholeReads(io.RawIOBase):
    """Reads a file that gives fewer bytes than asked for, such as those of a block, until all are there."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        """Returns ``size`` bytes, or all that are left; fewer only at the end of the file."""
        parts: list[bytes] = []
        left = size
        while left and (part := self._file.read(left)):
            parts.append(part)
            left -= len(part) if size >= 0 else 0
        return b"".join(parts)
