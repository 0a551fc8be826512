"""Tiny videos of patches whose light is known, for what HDR looks like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.types import ColorTags
from tests.support.planes import Coding, write_planes

PQ, HLG = ColorTags(9, 16, 9, full_range=False), ColorTags(9, 18, 9, full_range=False)
SIDE = 64
"""Pixels of a patch in each direction; they stand beside each other."""
_WEIGHTS = {9: (0.2627, 0.0593), 1: (0.2126, 0.0722)}
"""Of red and blue in luma."""
_X265 = "log-level=error:info=0:bframes=0"

Values = tuple[float, float, float]


@dataclass(frozen=True)
class Patch:
    """Light in cd/m2, and what an ordinary screen is to show of it, 0..255."""

    light: Values
    shown: tuple[int, int, int]


def pq_of(light: Sequence[float]) -> Values:
    """The values, 0..1, of light in cd/m2 (SMPTE ST 2084)."""
    y = (np.asarray(light) / 10_000) ** 0.1593017578125
    red, green, blue = ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375
    return float(red), float(green), float(blue)


def hlg_of(value: float) -> Values:
    return value, value, value


def write_patches(path: Path, color: ColorTags, patches: Sequence[Values], light: str = "") -> Path:
    """Two frames of ten bits; ``light`` is what x265 is to say of the brightness."""
    red_weight, blue_weight = _WEIGHTS[color.matrix]
    rows = np.repeat(np.asarray(patches), SIDE, axis=0)
    luma = rows @ [red_weight, 1 - red_weight - blue_weight, blue_weight]
    chroma = [(rows[:, at] - luma) / (2 - 2 * weight) for at, weight in ((2, blue_weight), (0, red_weight))]
    planes = [np.tile(np.rint(luma * 876 + 64).astype(np.uint16), (SIDE, 1))]
    planes += [np.tile(np.rint(one * 896 + 512).astype(np.uint16)[::2], (SIDE // 2, 1)) for one in chroma]
    parameters = f"{_X265}:{light}" if light else _X265
    coding = Coding("yuv420p10le", "libx265", {"crf": "1", "x265-params": parameters}, color, tag="hvc1")
    return write_planes(path, coding, [planes] * 2, (SIDE * len(patches), SIDE))
