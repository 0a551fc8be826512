"""Finds scene cuts: between the frames of two scenes there is no motion to follow.

A missed cut costs a little quality at the cut, a false alarm a little at one frame, so a simple test of two frames is
enough: the picture must change a lot in place, change its distribution of some color *and* lose its structure. Fast
motion and shake change only the first, a fade only the second, a flash or an exposure that jumps not the third.
Detectors that only compare in place take the shake of hands for cuts; ``python -m benchmarks.shots`` shows how often.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Coarse: TypeAlias = NDArray[np.float32]
"""float32 [H // 8, W // 8, 3], 0 to 255: the means of blocks of 8x8 pixels."""

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
    return are_of_two_scenes(coarse(before), coarse(after))


def are_of_two_scenes(one: Coarse, two: Coarse) -> bool:
    """Returns the same as ``is_cut`` for frames of which the coarse pictures are known."""
    if float(np.abs(one[..., 1] - two[..., 1]).mean()) < CUT_DIFFERENCE:
        return False
    if max(_moved(one[..., color], two[..., color]) for color in range(3)) <= CUT_HISTOGRAM:
        return False
    return _correlation(one[..., 1], two[..., 1]) < SAME_STRUCTURE


def coarse(image: NDArray[np.uint8]) -> Coarse:
    """Averages uint8 [H, W, 3] over blocks of 8x8.

    Whole rows are added first, in integers: NumPy takes seven times as long for the mean over both sides of a block.
    """
    height, width = image.shape[0] // _GRID, image.shape[1] // _GRID
    blocks = image[: height * _GRID, : width * _GRID].reshape(height, _GRID, width * _GRID, 3)
    rows = blocks.sum(axis=1, dtype=np.uint16).reshape(height, width, _GRID, 3)
    return np.asarray(rows.sum(axis=2, dtype=np.float32) / _GRID**2, np.float32)


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
