"""Measures how many frames this worker restores in a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

LOOK_BACK_S = 30.0
"""Seconds that the rate is a mean of: several windows of a slow model."""


class FrameRate:
    """The mean rate of a counter over the last LOOK_BACK_S seconds."""

    def __init__(self, count: Callable[[], float], clock: Callable[[], float] = time.monotonic) -> None:
        """``count`` returns the frames restored so far."""
        self._count = count
        self._clock = clock
        self._seen = deque([(clock(), count())])

    def now(self) -> float:
        """Returns frames per second; to be called every few seconds."""
        now, count = self._clock(), self._count()
        self._seen.append((now, count))
        while len(self._seen) > 2 and self._seen[1][0] <= now - LOOK_BACK_S:
            self._seen.popleft()
        since, before = self._seen[0]
        return (count - before) / (now - since) if now > since else 0.0
