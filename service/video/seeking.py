"""What files that are read by FFmpeg and know their size have in common."""

from __future__ import annotations

import io


class SeekableFile(io.RawIOBase):
    """Read-only, and seekable like a file on the disk. A subclass reads from ``_at`` on and moves it."""

    def __init__(self, size: int) -> None:
        """``size``: bytes in the file."""
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to a position, which may lie behind the end. Raises ValueError for one before the beginning."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError(f"A file has no position {base + offset}.")
        self._at = base + offset
        return self._at
