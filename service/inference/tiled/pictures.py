"""Frames from which tiles are cut, each held in as little memory as its values allow."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.inference.tiled.parts import UNITS, Levels
from service.inference.tiled.tiles import MULTIPLE


class Picture(Protocol):
    """A frame whose sides are multiples of MULTIPLE."""

    height: int
    width: int

    def part(self, rows: slice, columns: slice, /) -> Levels:
        """Returns a contiguous part of the frame, of its own memory."""
        ...


class Given:
    """A frame of a video, padded right and bottom by repeating the edge. Shares the memory of ``frame``."""

    def __init__(self, frame: NDArray[np.uint8]) -> None:
        """``frame``: uint8 [H, W, 3], RGB."""
        self._frame = frame
        self.height, self.width = (side + -side % MULTIPLE for side in frame.shape[:2])

    def part(self, rows: slice, columns: slice, /) -> Levels:
        down, across = (
            np.arange(span.start, span.stop).clip(max=length - 1)
            for span, length in zip((rows, columns), self._frame.shape[:2], strict=True)
        )
        cut = self._frame[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
        missing = len(down) - cut.shape[0], len(across) - cut.shape[1]
        if any(missing):
            cut = np.pad(cut, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
        return np.ascontiguousarray(cut.transpose(2, 0, 1)).astype(np.int16) * np.int16(UNITS)

    def digest(self) -> bytes:
        """Returns what tells this frame from others."""
        return hashlib.blake2b(
            self._frame.tobytes() if not self._frame.flags.c_contiguous else self._frame.data
        ).digest()


class Restored:
    """A frame that a stage restored."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.levels: Levels = np.empty((3, height, width), np.int16)

    def part(self, rows: slice, columns: slice, /) -> Levels:
        return np.ascontiguousarray(self.levels[:, rows, columns])
