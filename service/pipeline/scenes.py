"""Finds scene cuts: between the frames of two scenes there is no motion to follow.

A missed cut costs a little quality at the cut, a false alarm a little at one frame, so a simple test of two frames is
enough: the picture must change a lot in place, change its distribution of some color *and* lose its structure. Fast
motion and shake change only the first, a fade only the second, a flash or an exposure that jumps not the third.
Detectors that only compare in place take the shake of hands for cuts; ``python -m benchmarks.shots`` shows how often.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CUT_DIFFERENCE = 18.0
"""Mean change of green in place, in levels of 255, on a coarse grid; hard shake stays below in most footage."""

CUT_HISTOGRAM = 0.25
"""Share of the picture whose red, green or blue moves to another of 16 bins."""

SAME_STRUCTURE = 0.8
"""Correlation of two coarse pictures from which on they show the same, however bright."""

_GRID = 8
_BINS = 16


def is_cut(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Returns whether a new scene begins with ``after``. Both frames are uint8 [H, W, 3], RGB, of one size."""
    one, two = _coarse(before), _coarse(after)
    if float(np.abs(one[..., 1] - two[..., 1]).mean()) < CUT_DIFFERENCE:
        return False
    if max(_moved(one[..., color], two[..., color]) for color in range(3)) <= CUT_HISTOGRAM:
        return False
    return _correlation(one[..., 1], two[..., 1]) < SAME_STRUCTURE


def _coarse(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Averages over blocks of 8x8: float32 [H // 8, W // 8, 3], 0 to 255."""
    height, width = image.shape[0] // _GRID * _GRID, image.shape[1] // _GRID * _GRID
    blocks = image[:height, :width].reshape(height // _GRID, _GRID, width // _GRID, _GRID, 3)
    coarse: NDArray[np.float32] = blocks.mean(axis=(1, 3), dtype=np.float32)
    return coarse


def _moved(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    """Returns the share of the blocks, in 0..1, by which the histograms of two coarse pictures differ."""
    first, _ = np.histogram(one, bins=_BINS, range=(0, 256))
    second, _ = np.histogram(two, bins=_BINS, range=(0, 256))
    return float(np.abs(first - second).sum()) / (2 * one.size)


def _correlation(one: NDArray[np.float32], two: NDArray[np.float32]) -> float:
    """Returns Pearson's correlation of two coarse pictures, in -1..1; 0 where one of them has no structure."""
    first, second = one - one.mean(), two - two.mean()
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale > 0 else 0.0
