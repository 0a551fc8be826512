"""The port behind which networks run: one Protocol, several adapters that give the same bytes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.types import CONTEXT_FRAMES

Frames = NDArray[np.uint8]
"""uint8 [T, H, W, 3], RGB."""


class DeblurEngine(Protocol):
    """Restores windows of frames. One instance serves one model and may be called from several threads."""

    def restore(self, window: Frames) -> Frames:
        """Restore the inner frames of a window.

        ``window``: uint8 [T+4, H, W, 3] RGB, T >= 1, H and W >= 64; the two frames on each side are context.
        Returns uint8 [T, H, W, 3] RGB.

        Raises ValueError for another shape or dtype, EngineUnavailable when the engine cannot be reached
        (try again later), InferenceFailed when it refuses or fails this window (trying again will not help).
        """
        ...

    def close(self) -> None:
        """Release threads, sessions and connections. The engine is unusable afterwards."""
        ...


def check_window(window: Frames) -> None:
    """Raise ValueError unless ``window`` is uint8 [T+4, H, W, 3] with T >= 1: the same words from every engine."""
    if window.dtype != np.uint8 or window.ndim != 4 or window.shape[3] != 3:
        raise ValueError(f"a window is uint8 [T+4, H, W, 3]; got {window.dtype} {list(window.shape)}")
    if window.shape[0] <= CONTEXT_FRAMES:
        raise ValueError(f"a window needs more than {CONTEXT_FRAMES} frames; got {window.shape[0]}")
