"""The interface behind which networks run: one Protocol, and several adapters that give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from service.errors.engine import InferenceFailed
from service.types import CONTEXT_FRAMES

INPUT, OUTPUT = "frames", "restored"
"""The names of the tensors of every exported graph."""

Frames = NDArray[np.uint8]
"""uint8 [T, H, W, 3], RGB."""

Stopped = Callable[[], bool]
"""Returns whether nobody waits for a window any more; may be called from any thread."""


def never() -> bool:
    """Returns False: the window is waited for."""
    return False


class DeblurEngine(Protocol):
    """Restores windows of frames. One instance serves one model and may be called from several threads."""

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        """Restores the inner frames of a window.

        ``window``: uint8 [T+4, H, W, 3], RGB, T >= 1, H and W >= 64; the two frames on each side are context.
        Returns uint8 [T, H, W, 3], RGB. ``stopped`` is called while the window waits for its turn or for a
        server; work that has begun in this process is finished.

        Raises ValueError for another shape or dtype, EngineUnavailable when the engine cannot be reached
        (try again later), InferenceFailed when it refuses this window or fails on it (trying again does not help),
        JobCanceled when ``stopped`` says so.
        """
        ...

    def close(self) -> None:
        """Releases threads, sessions and connections. The engine is unusable afterwards."""
        ...


def check_window(window: Frames) -> None:
    """Raises ValueError unless ``window`` is uint8 [T+4, H, W, 3] with T >= 1; every engine calls this."""
    if window.dtype != np.uint8 or window.ndim != 4 or window.shape[3] != 3:
        raise ValueError(f"A window is uint8 [T+4, H, W, 3], not {window.dtype} {list(window.shape)}.")
    if window.shape[0] <= CONTEXT_FRAMES:
        raise ValueError(f"A window has more than {CONTEXT_FRAMES} frames, not {window.shape[0]}.")


def checked_result(restored: Frames, window: Frames) -> Frames:
    """Returns ``restored``. Raises InferenceFailed unless it is uint8 and has as many frames as ``window`` asks for."""
    wanted = (window.shape[0] - CONTEXT_FRAMES, *window.shape[1:])
    if restored.shape != wanted or restored.dtype != np.uint8:
        raise InferenceFailed(
            f"The model returned {restored.dtype} {list(restored.shape)} where uint8 {list(wanted)} is due."
        )
    return restored
