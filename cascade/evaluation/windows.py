"""Windows of frames, as networks take them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]

_LONGEST = 8
"""Frames restored at once: longer windows repeat less work and hold more memory."""


def windows(video: Frames, wanted: range, context: int) -> Iterator[Frames]:
    """Yields the ``wanted`` consecutive frames of ``video`` [N, H, W, 3], up to eight at a time, with their context.

    Each window has ``context`` more frames on each side, mirrored at the ends of the video.
    """
    mirrored = np.pad(np.arange(len(video)), context, mode="reflect")
    for start in range(wanted.start, wanted.stop, _LONGEST):
        stop = min(start + _LONGEST, wanted.stop)
        yield video[mirrored[start : stop + 2 * context]]
