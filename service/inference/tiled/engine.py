"""An engine for pictures of any size: finds the flow between whole frames and restores each frame tile by tile.

It computes what the whole graph computes, one frame after the other, and holds six frames and one tile at a time. So
the memory that it takes does not grow with the length of a window, and hardly with the size of the frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from service.errors.job import JobCanceled
from service.inference.engine import Frames, Stopped, check_window, never
from service.inference.tiled.parts import UNITS, Flow, Levels, Parts
from service.inference.tiled.tiles import MULTIPLE, Span, Tile, tiles
from service.types import CONTEXT_FRAMES

_STAGES = CONTEXT_FRAMES // 2


class TiledEngine:
    """Restores windows from the two parts of a model. Implements ``DeblurEngine``."""

    def __init__(self, parts: Parts, side: int) -> None:
        """``side``: most pixels of a tile's side; all windows of a video have the same."""
        self._parts = parts
        self._side = side

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        """``stopped`` is asked before every tile."""
        check_window(window)
        height, width = window.shape[1:3]
        frames: Iterator[Levels] = (_levels(frame) for frame in window)
        for _ in range(_STAGES):
            frames = self._stage(frames, stopped)
        restored = np.empty((len(window) - CONTEXT_FRAMES, height, width, 3), np.uint8)
        for image, frame in zip(restored, frames, strict=True):
            image[:] = _rounded(frame[:, :height, :width])
        return restored

    def close(self) -> None:
        self._parts.close()

    def _stage(self, frames: Iterable[Levels], stopped: Stopped) -> Iterator[Levels]:
        """Yields each frame that has two neighbors, restored; holds three frames."""
        held: deque[Levels] = deque(maxlen=3)
        for frame in frames:
            held.append(frame)
            if len(held) == held.maxlen:
                previous, center, following = held
                yield self._frame(previous, center, following, stopped)

    def _frame(self, previous: Levels, center: Levels, following: Levels, stopped: Stopped) -> Levels:
        neighbors = (previous, following)
        flow = np.stack([self._flow(center, neighbor, stopped) for neighbor in neighbors])
        restored = np.empty_like(center)
        last = center.shape[1:]
        for tile in tiles(center.shape[1], center.shape[2], self._side):
            _check(stopped)
            rows, columns = tile.rows, tile.columns
            found = self._tile(center, neighbors, flow, tile, keep=(rows.stop, columns.stop) != last)
            restored[:, rows.start : rows.stop, columns.start : columns.stop] = _units(found)
        return restored

    def _tile(
        self, center: Levels, neighbors: tuple[Levels, Levels], flow: Flow, tile: Tile, *, keep: bool
    ) -> NDArray[np.float32]:
        """Returns the tile without its overlap: float32 [3, h, w] in 64ths of a level."""
        rows, columns = _slice(tile.rows), _slice(tile.columns)
        there = np.ascontiguousarray(flow[:, :, rows, columns])
        reached = [
            (
                _reach(there[side, 1], tile.rows, center.shape[1]),
                _reach(there[side, 0], tile.columns, center.shape[2]),
            )
            for side in range(2)
        ]
        previous, following = (
            np.ascontiguousarray(neighbor[:, y, x])
            for neighbor, (y, x) in zip(neighbors, reached, strict=True)
        )
        origins = [(y.start, x.start) for y, x in reached]
        place = np.array([(rows.start, columns.start), center.shape[1:], *origins], np.float32)
        restored = self._parts.restored(
            np.ascontiguousarray(center[:, rows, columns]), previous, following, there, place, keep=keep
        )
        top, left = tile.rows.start - tile.rows.low, tile.columns.start - tile.columns.low
        height, width = tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start
        return restored[:, top : top + height, left : left + width]

    def _flow(self, center: Levels, neighbor: Levels, stopped: Stopped) -> Flow:
        """Returns float32 [2, H, W], in pixels."""
        _check(stopped)
        return self._parts.flow(center, neighbor)


def _check(stopped: Stopped) -> None:
    if stopped():
        raise JobCanceled("Nobody waits for the window any more.")


def _slice(span: Span) -> slice:
    return slice(span.low, span.high)


def _reach(flow: NDArray[np.float32], span: Span, length: int) -> slice:
    """Returns the pixels of a neighbor, along one axis, that samples of a tile can need."""
    low = int(np.floor(flow.min())) + span.low
    high = int(np.ceil(flow.max())) + span.high + 1
    low = min(max(0, low), length - 2)
    return slice(low, min(length, max(high, low + 2)))


def _levels(frame: NDArray[np.uint8]) -> Levels:
    """Returns a frame [H, W, 3] as [3, H', W'] in 64ths of a level, padded right and bottom by repeating the edge."""
    height, width = (-side % MULTIPLE for side in frame.shape[:2])
    padded = np.pad(frame, ((0, height), (0, width), (0, 0)), mode="edge") if height or width else frame
    return np.ascontiguousarray(padded.transpose(2, 0, 1)).astype(np.int16) * np.int16(UNITS)


def _rounded(frame: Levels) -> NDArray[np.uint8]:
    """Returns [3, H, W] as uint8 [H, W, 3]; halves go to even."""
    levels = (np.rint(channel / np.float32(UNITS)) for channel in frame)
    return np.stack([channel.clip(0, 255).astype(np.uint8) for channel in levels], axis=-1)


def _units(restored: NDArray[np.float32]) -> Levels:
    """Rounds what a tile was restored to, and cuts off what 16 bits do not hold."""
    bounds = np.iinfo(np.int16)
    return np.rint(restored).clip(bounds.min, bounds.max).astype(np.int16)
