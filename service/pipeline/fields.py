"""Restores interlaced frames that stay interlaced: the fields are pictures of different moments.

Each field is restored in its own sequence, all upper ones and all lower ones, as a video of half the height. What is
blurred across the lines of one moment is so never mixed with another.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from service.inference.engine import Frames
from service.pipeline.windows import Window

Restore = Callable[[Frames], Frames]
"""From uint8 [T+4, H, W, 3] to uint8 [T, H, W, 3], RGB."""


def restore_fields(window: Window, restore: Restore) -> Frames:
    """Restores a window; its interlaced frames field by field, others as a whole. Raises what ``restore`` raises.

    Returns uint8 [T, H, W, 3], RGB.
    """
    if not any(window.interlaced):
        return restore(window.frames)
    woven = np.empty_like(window.outputs)
    for parity in (0, 1):
        woven[:, parity::2] = restore(np.ascontiguousarray(window.frames[:, parity::2]))
    if not all(window.interlaced):
        whole = np.logical_not(window.interlaced)
        woven[whole] = restore(window.frames)[whole]
    return woven
