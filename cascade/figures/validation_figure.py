"""A figure of what a network makes of a few fixed frames, to look at while it trains: blurred | restored | truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cascade.data.clips import Clip
from cascade.evaluation.validation import restore
from cascade.network.cascade import Cascade

_ROWS = 4
_SIZE = (192, 320)
"""Height and width of what is shown, from the middle of the frame: at its own scale, and small enough to keep one
picture per validation."""
_GAP = 4
_WHITE = 255


def draw(cascade: Cascade, clips: Sequence[Clip]) -> NDArray[np.uint8]:
    """Draws one row for the middle frame of up to four of the clips, always the same ones: uint8 [H, W, 3] RGB."""
    # Recorded clips stand behind synthetic ones: one of these, and the last three, tell of both.
    chosen = clips if len(clips) <= _ROWS else [clips[0], *clips[1 - _ROWS :]]
    return np.concatenate([_row(cascade, clip) for clip in chosen])


def _row(cascade: Cascade, clip: Clip) -> NDArray[np.uint8]:
    middle, reach = len(clip.blurred) // 2, cascade.config.stages
    restored = restore(cascade, clip.blurred[middle - reach : middle + reach + 1])[0]
    return np.concatenate(
        [_tile(frame) for frame in (clip.blurred[middle], restored, clip.sharp[middle])], axis=1
    )


def _tile(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Puts the middle of a frame on white, with a gap right and below."""
    height, width = min(frame.shape[0], _SIZE[0]), min(frame.shape[1], _SIZE[1])
    y, x = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
    tile = np.full((_SIZE[0] + _GAP, _SIZE[1] + _GAP, 3), _WHITE, np.uint8)
    tile[:height, :width] = frame[y : y + height, x : x + width]
    return tile
