"""Engines for tests: hand-written, and held to the same contract as the real ones."""

from __future__ import annotations

from threading import Lock

import numpy as np

from service.errors.engine import InferenceFailed
from service.errors.job import JobCanceled
from service.inference.engine import Frames, Stopped, check_window, never
from service.types import CONTEXT_FRAMES

_SIDE = CONTEXT_FRAMES // 2


class IdentityEngine:
    """Returns the inner frames of a window as they are."""

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        check_window(window)
        _refuse_unwanted(stopped)
        return window[_SIDE:-_SIDE].copy()

    def close(self) -> None:
        pass


class RecordingEngine(IdentityEngine):
    """An identity that keeps the windows it was given."""

    def __init__(self) -> None:
        self.windows: list[Frames] = []
        self._lock = Lock()

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        with self._lock:
            self.windows.append(window.copy())
        return super().restore(window, stopped)


class AveragingEngine:
    """Restores a frame as the mean of itself and its four neighbors: shows which context it was given."""

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        check_window(window)
        _refuse_unwanted(stopped)
        count = window.shape[0] - CONTEXT_FRAMES
        views = [window[offset : offset + count].astype(np.float32) for offset in range(CONTEXT_FRAMES + 1)]
        mean: Frames = np.rint(np.mean(views, axis=0)).astype(np.uint8)
        return mean

    def close(self) -> None:
        pass


class FailingEngine(IdentityEngine):
    """Fails on the n-th window, counted from one."""

    def __init__(self, on_window: int) -> None:
        self._left = on_window
        self._lock = Lock()

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                raise InferenceFailed("This window was refused.")
        return super().restore(window, stopped)


def _refuse_unwanted(stopped: Stopped) -> None:
    if stopped():
        raise JobCanceled("Nobody wants this window.")
