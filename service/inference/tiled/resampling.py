"""Brings frames to the size at which flow is looked for, and flow back to the frame's size, a part at a time.

Both are bilinear between the centers of pixels, as in the whole graph.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from service.inference.tiled.parts import UNITS, Flow, Small
from service.inference.tiled.pictures import Picture
from service.inference.tiled.tiles import Tile

_MULTIPLE = 64
"""What the flow network rounds both sides up to, before it shrinks them."""
_BAND = 64
"""Rows of a small frame that are computed at a time."""
_WHITE = np.float32(255 * UNITS)

Values = NDArray[np.float32]


def shrunk(picture: Picture, downscale: int) -> Small:
    """Returns a frame at the size at which its flow is looked for."""
    height, width = (_rounded_up(side) // downscale for side in (picture.height, picture.width))
    small = np.empty((3, height, width), np.float32)
    for top in range(0, height, _BAND):
        band = slice(top, min(top + _BAND, height))
        rows, down = _taps(band, height, picture.height)
        _, across = _taps(slice(0, width), width, picture.width)
        part = picture.part(rows, slice(0, picture.width)).astype(np.float32) / _WHITE
        small[:, band] = _along(_along(part, down, 1), across, 2)
    return small


def flow_there(flow: Flow, tile: Tile, height: int, width: int) -> Values:
    """Returns the flow [2, h, w] at the pixels of a tile with its overlap, in pixels of the frame of this size."""
    rows, down = _taps(slice(tile.rows.low, tile.rows.high), height, flow.shape[1])
    columns, across = _taps(slice(tile.columns.low, tile.columns.high), width, flow.shape[2])
    there = _along(_along(flow[:, rows, columns], down, 1), across, 2)
    scale = [width / _rounded_up(width), height / _rounded_up(height)]
    return np.ascontiguousarray(there * np.array(scale, np.float32).reshape(2, 1, 1))


Taps = tuple[NDArray[np.intp], NDArray[np.intp], Values]
"""The two samples of each result, and the share of the second."""


def _taps(wanted: slice, length: int, given: int) -> tuple[slice, Taps]:
    """Returns the samples of ``given`` that results ``wanted`` of ``length`` need, and how: counted in that slice."""
    at = (np.arange(wanted.start, wanted.stop) + 0.5) * (given / length) - 0.5
    at = at.clip(0, given - 1)
    first = np.floor(at).astype(np.intp)
    second = np.minimum(first + 1, given - 1)
    needed = slice(int(first[0]), int(second[-1]) + 1)
    return needed, (first - needed.start, second - needed.start, (at - first).astype(np.float32))


def _along(values: Values, taps: Taps, axis: int) -> Values:
    first, second, share = taps
    weights = share.reshape([-1 if axis == one else 1 for one in range(3)])
    below = values.take(first, axis)
    return below + (values.take(second, axis) - below) * weights


def _rounded_up(side: int) -> int:
    return side + -side % _MULTIPLE
