"""Several looks at one window: turned in space and time, restored, turned back and averaged.

The service does the same around its engines, with the same bytes as result (tests/contract/test_looks.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]
WindowRestorer = Callable[[Frames], list[Frames]]
"""Takes a window uint8 [T + 2 * stages, H, W, 3] RGB; returns its inner frames, uint8 [T, H, W, 3], after each
stage, the result last."""

_TIME, _VERTICAL, _HORIZONTAL = 0, 1, 2

LOOKS: dict[int, tuple[tuple[int, ...], ...]] = {
    1: ((),),
    2: ((), (_HORIZONTAL,)),
    4: ((), (_HORIZONTAL, _TIME), (_VERTICAL, _TIME), (_HORIZONTAL, _VERTICAL)),
}
"""The axes of a window that each look reverses, by the number of looks."""


def several_looks(restore: WindowRestorer, looks: int) -> WindowRestorer:
    """Makes a restorer that returns the mean of ``looks`` restorations, a key of LOOKS, for every stage.

    The 8-bit results are averaged and rounded once, halves to even.
    """

    def restore_turned(window: Frames) -> list[Frames]:
        results = [_look(restore, window, axes) for axes in LOOKS[looks]]
        return [_mean(stage) for stage in zip(*results, strict=True)]

    return restore_turned


def _look(restore: WindowRestorer, window: Frames, axes: tuple[int, ...]) -> list[Frames]:
    turned = np.ascontiguousarray(np.flip(window, axes))
    return [np.flip(frames, axes) for frames in restore(turned)]


def _mean(results: Sequence[Frames]) -> Frames:
    total = np.sum(results, axis=0, dtype=np.uint16)
    return np.asarray(np.rint(total / np.float32(len(results))), np.uint8)
