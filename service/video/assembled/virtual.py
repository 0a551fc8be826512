"""Movies that are not in a file: a head that is written, and frames that are fetched when they are read."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol

from service.video.seeking import SeekableFile

_KEPT = 2
"""Frames that are kept: FFmpeg reads one in parts."""


class FrameData(Protocol):
    """Where frames come from."""

    def read(self, number: int) -> bytes:
        """Returns the bytes of a frame, as many as were announced. May raise DamagedVideo."""
        ...


class VirtualMovie(SeekableFile):
    """A file that is read like one on the disk; only reading and seeking are possible."""

    def __init__(self, head: bytes, sizes: Sequence[int], frames: FrameData) -> None:
        """``head``: the bytes before the first frame; ``sizes``: bytes of each frame."""
        self._head = head
        self._starts = list(accumulate(sizes, initial=len(head)))
        self._frames = frames
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        super().__init__(self._starts[-1])

    def read(self, size: int = -1) -> bytes:
        """Returns up to ``size`` bytes, fewer at the end of the head or of a frame."""
        if self._at >= self._starts[-1]:
            return b""
        number = bisect_right(self._starts, self._at) - 1
        part, start = (self._frame(number), self._starts[number]) if number >= 0 else (self._head, 0)
        offset = self._at - start
        data = part[offset:] if size < 0 else part[offset : offset + size]
        self._at += len(data)
        return data

    def _frame(self, number: int) -> bytes:
        if number not in self._kept:
            self._kept[number] = self._frames.read(number)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[number]
