"""Renders frames to verify on: a photograph seen by a shaking camera. Noise would give flow and prior nothing to do."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from skimage.data import coffee

from cascade.synthesis.demo_clip import render_demo_clip

Frames = NDArray[np.uint8]
"""uint8 [N, H, W, 3] RGB."""

_LENGTH, _SIZE = 7, (720, 1280)


@cache
def clip() -> tuple[Frames, Frames]:
    """Renders seven frames of 720p, blurred and sharp; the same every time."""
    photo: Frames = coffee()  # type: ignore[no-untyped-call]
    return render_demo_clip(photo, frames=_LENGTH, height=_SIZE[0], width=_SIZE[1])


def window(frames: int, height: int, width: int) -> Frames:
    """Cuts [frames, height, width, 3] from the middle of the blurred clip; at most 7 frames of 720p."""
    top, left = (_SIZE[0] - height) // 2, (_SIZE[1] - width) // 2
    return np.ascontiguousarray(clip()[0][:frames, top : top + height, left : left + width])
