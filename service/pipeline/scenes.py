"""Finds scene cuts: between the frames of two scenes there is no motion to follow.

A missed cut costs a little quality at the cut, a false alarm a little at one frame, so a simple test is enough: the
picture must change a lot in place *and* change its distribution of brightness. Fast motion and shake change only the
former, a fade changes only the latter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUT_DIFFERENCE = 18.0
"""Mean change in place, in levels of 255, on a coarse grid; hard shake stays below in most footage."""

CUT_HISTOGRAM = 0.25
"""Share of the picture whose brightness moves to another of 16 bins."""

_GRID = 8
_BINS = 16


def is_cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Returns whether a new scene begins with ``after``. Both frames are uint8 [H, W, 3], RGB, of one size."""
    one, two = _coarse(before), _coarse(after)
    if float(np.abs(one - two).mean()) < CUT_DIFFERENCE:
        return False
    return _moved(one, two) > CUT_HISTOGRAM


def _coarse(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Averages green, most of brightness, over blocks of 8x8: float32 [H // 8, W // 8], 0 to 255."""
    height, width = image.shape[0] // _GRID * _GRID, image.shape[1] // _GRID * _GRID
    green = image[:height, :width, 1].reshape(height // _GRID, _GRID, width // _GRID, _GRID)
    coarse: NDArray[np.float32] = green.mean(axis=(1, 3), dtype=np.float32)
    return coarse


def _moved(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    """Returns the share of the blocks, in 0..1, by which the histograms of two coarse pictures differ."""
    first, _ = np.histogram(one, bins=_BINS, range=(0, 256))
    second, _ = np.histogram(two, bins=_BINS, range=(0, 256))
    return float(np.abs(first - second).sum()) / (2 * one.size)
