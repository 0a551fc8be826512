"""The port behind which networks run: one Protocol, several adapters that give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.errors.engine import InferenceFailed
from service.types import CONTEXT_FRAMES

INPUT, OUTPUT = "frames", "restored"
"""The tensors of every exported graph."""

Frames = NDArray[np.uint8]
"""uint8 [T, H, W, 3], RGB."""


Stopped = Callable[[], bool]
"""Whether nobody waits for a window any more; may be asked from any thread."""


def never() -> bool:
    """Nobody stops."""
    return False


class DeblurEngine(Protocol):
    """Restores windows of frames. One instance serves one model and may be called from several threads."""

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        """Restore the inner frames of a window.

        ``window``: uint8 [T+4, H, W, 3] RGB, T >= 1, H and W >= 64; the two frames on each side are context.
        Returns uint8 [T, H, W, 3] RGB. ``stopped`` is asked while the window waits for its turn or for a
        server; work that has begun in this process is finished.

        Raises ValueError for another shape or dtype, EngineUnavailable when the engine cannot be reached
        (try again later), InferenceFailed when it refuses or fails this window (trying again will not help),
        JobCanceled when ``stopped`` says so.
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


def checked_result(restored: Frames, window: Frames) -> Frames:
    """``restored`` as it is; raises InferenceFailed unless it is uint8 and has the window's inner frames."""
    wanted = (window.shape[0] - CONTEXT_FRAMES, *window.shape[1:])
    if restored.shape != wanted or restored.dtype != np.uint8:
        raise InferenceFailed(
            f"The model returned {restored.dtype} {list(restored.shape)} where uint8 {list(wanted)} is due."
        )
    return restored
