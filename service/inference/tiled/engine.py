"""An engine for pictures of any size: finds the flow between whole frames and restores each frame tile by tile.

It computes what the whole graph computes, one frame after the other, and holds three restored frames and one tile at a
time beside the window. So the memory that it takes does not grow with the length of a window, and a window of one frame
is no more work per frame than a longer one: what the first stage made of the frames that both windows share is kept.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from service.errors.job import JobCanceled
from service.inference.engine import Frames, Stopped, check_window, never
from service.inference.tiled.parts import UNITS, Flow, Levels, Parts
from service.inference.tiled.pictures import Given, Picture, Restored
from service.inference.tiled.resampling import flow_there, shrunk
from service.inference.tiled.tiles import Span, Tile, tiles
from service.types import CONTEXT_FRAMES

_KEPT = 2
"""Frames of the first stage that the next window has, too."""

Three = tuple[Picture, Picture, Picture]


class TiledEngine:
    """Restores windows from the two parts of a model. Implements ``DeblurEngine``; windows take turns."""

    def __init__(self, parts: Parts, side: int) -> None:
        """``side``: most pixels of a tile's side; all windows of a video have the same."""
        self._parts = parts
        self._side = side
        self._one_at_a_time = threading.Lock()
        self._kept: dict[tuple[bytes, ...], Restored] = {}
        """What the first stage made of three frames, by their digests: the newest last."""

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        """``stopped`` is asked before every tile."""
        check_window(window)
        with self._one_at_a_time:
            _check(stopped)
            restored = np.empty_like(window[: len(window) - CONTEXT_FRAMES])
            threes = _threes(self._first_stage(window, stopped))
            for image in restored:
                self._second_stage(image, next(threes), stopped)  # nothing here keeps the three
            return restored

    def close(self) -> None:
        self._parts.close()

    def _second_stage(self, image: NDArray[np.uint8], three: Three, stopped: Stopped) -> None:
        """Restores the center of ``three`` to ``image``."""
        for tile, found in self._tiles(three, stopped):
            part = image[tile.rows.start : tile.rows.stop, tile.columns.start : tile.columns.stop]
            part[:] = _rounded(found)[: part.shape[0], : part.shape[1]]

    def _first_stage(self, window: Frames, stopped: Stopped) -> Iterator[Restored]:
        given = [Given(frame) for frame in window]
        digests = [frame.digest() for frame in given]
        for start in range(len(window) - 2):
            key = tuple(digests[start : start + 3])
            found = self._kept.get(key)
            if found is None:
                found = self._whole((given[start], given[start + 1], given[start + 2]), stopped)
            self._keep(key, found)
            yield found

    def _keep(self, key: tuple[bytes, ...], found: Restored) -> None:
        self._kept.pop(key, None)
        self._kept[key] = found
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    def _whole(self, three: Three, stopped: Stopped) -> Restored:
        restored = Restored(three[1].height, three[1].width)
        for tile, found in self._tiles(three, stopped):
            rows, columns = tile.rows, tile.columns
            restored.levels[:, rows.start : rows.stop, columns.start : columns.stop] = found
        return restored

    def _tiles(self, three: Three, stopped: Stopped) -> Iterator[tuple[Tile, Levels]]:
        """Yields what the center of three frames is restored to, a tile without its overlap at a time."""
        center = three[1]
        flows = self._flows(three, stopped)
        for tile in tiles(center.height, center.width, self._side):
            _check(stopped)
            last = (tile.rows.stop, tile.columns.stop) == (center.height, center.width)
            yield tile, _units(self._tile(three, flows, tile, keep=not last))

    def _tile(self, three: Three, flows: tuple[Flow, Flow], tile: Tile, *, keep: bool) -> NDArray[np.float32]:
        """Returns the tile without its overlap: float32 [3, h, w] in 64ths of a level."""
        previous, center, following = three
        height, width = center.height, center.width
        there = np.stack([flow_there(flow, tile, height, width) for flow in flows])
        reached = [
            (_reach(flow[1], tile.rows, height), _reach(flow[0], tile.columns, width)) for flow in there
        ]
        origins = [(y.start, x.start) for y, x in reached]
        rows, columns = _slice(tile.rows), _slice(tile.columns)
        place = np.array([(rows.start, columns.start), (height, width), *origins], np.float32)
        restored = self._parts.restored(
            center.part(rows, columns),
            previous.part(*reached[0]),
            following.part(*reached[1]),
            there,
            place,
            keep=keep,
        )
        top, left = tile.rows.start - tile.rows.low, tile.columns.start - tile.columns.low
        kept_rows, kept_columns = tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start
        return restored[:, top : top + kept_rows, left : left + kept_columns]

    def _flows(self, three: Three, stopped: Stopped) -> tuple[Flow, Flow]:
        """Returns the flow to the previous and to the next frame."""
        center = shrunk(three[1], self._parts.downscale)
        _check(stopped)
        back = self._parts.flow(center, shrunk(three[0], self._parts.downscale))
        _check(stopped)
        return back, self._parts.flow(center, shrunk(three[2], self._parts.downscale))


def _threes(frames: Iterable[Restored]) -> Generator[Three]:
    """Yields each frame that has two neighbors, between them; holds two while the next one is made."""
    held: deque[Restored] = deque()
    for frame in frames:
        held.append(frame)
        if len(held) == 3:
            yield held.popleft(), held[0], held[1]


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


def _rounded(part: Levels) -> NDArray[np.uint8]:
    """Returns [3, h, w] as uint8 [h, w, 3]; halves go to even."""
    levels = (np.rint(channel / np.float32(UNITS)) for channel in part)
    return np.stack([channel.clip(0, 255).astype(np.uint8) for channel in levels], axis=-1)


def _units(restored: NDArray[np.float32]) -> Levels:
    """Rounds what a tile was restored to, and cuts off what 16 bits do not hold."""
    bounds = np.iinfo(np.int16)
    return np.rint(restored).clip(bounds.min, bounds.max).astype(np.int16)
