"""Estimates when all videos of a batch are restored."""

from __future__ import annotations

import time
from collections.abc import Callable

SURE_AFTER = 0.02
"""The part of a batch from which its speed is told; before it, starting weighs too much."""


class BatchPace:
    """Counts the bytes of videos that have ended: the time for the others follows from theirs."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        """``total``: bytes of all videos."""
        self._total, self._clock = total, clock
        self._began = clock()
        self._done = 0
        self.current = 0
        """Bytes of the video that is waited for."""

    def restored(self, size: int) -> None:
        """Counts a video that was restored."""
        self._done += size

    def dropped(self, size: int) -> None:
        """Takes a video out that came to nothing."""
        self._total -= size

    def left_s(self, fraction: float) -> float | None:
        """Returns the seconds for all that is left, where so much of the current video is restored; None at first."""
        done = self._done + fraction * self.current
        if done <= SURE_AFTER * self._total:
            return None
        return (self._clock() - self._began) * (self._total - done) / done
