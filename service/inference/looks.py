"""An engine that looks at a window several times, turned in space and time, and averages what it sees.

The network is not symmetric: its errors in a window differ from those in the window's mirror images, and their mean is
smaller. This costs no training, only as many runs as there are looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from threading import Event

import numpy as np

from service.inference.engine import DeblurEngine, Frames, Stopped, check_window, never

_TIME, _VERTICAL, _HORIZONTAL = 0, 1, 2

LOOKS: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((),),
    2: ((), (_HORIZONTAL,)),
    4: ((), (_HORIZONTAL, _TIME), (_VERTICAL, _TIME), (_HORIZONTAL, _VERTICAL)),
}
"""The axes of a window [T+4, H, W, 3] that each look reverses, by the number of looks. Four are those of the eight
combinations that reverse an even number of axes."""


def _nothing() -> None:
    """Tells nobody."""


class SeveralLooks:
    """Restores a window as the mean of several restorations; implements ``DeblurEngine`` around another engine."""

    def __init__(self, engine: DeblurEngine, looks: int, on_look: Callable[[], None] = _nothing) -> None:
        """``looks``: a key of LOOKS. ``on_look`` is called after each, from any thread."""
        self._engine = engine
        self._turns = LOOKS[looks]
        self._on_look = on_look

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        """All looks are at the engine at once; the mean is rounded once, halves to even.

        The bytes do not depend on the order in which the looks end. If one fails, those that still wait are dropped.
        """
        check_window(window)
        results = self._looks(window, stopped)
        total = next(results).astype(np.uint16)
        for restored in results:
            total += restored
        return np.rint(total / np.float32(len(self._turns))).astype(np.uint8)

    def close(self) -> None:
        self._engine.close()

    def _looks(self, window: Frames, stopped: Stopped) -> Iterator[Frames]:
        """Yields the restoration of each look, turned back, as it ends."""
        over = Event()

        def look(axes: tuple[int, ...]) -> Frames:
            turned = np.ascontiguousarray(np.flip(window, axes))
            restored = self._engine.restore(turned, lambda: over.is_set() or stopped())
            self._on_look()
            return np.flip(restored, axes)

        with ThreadPoolExecutor(len(self._turns), "look") as pool, _set_at_end(over):
            for future in as_completed([pool.submit(look, axes) for axes in self._turns]):
                yield future.result()


@contextmanager
def _set_at_end(event: Event) -> Iterator[None]:
    try:
        yield
    finally:
        event.set()
