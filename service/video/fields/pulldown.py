"""Notices fields that are shown twice: film at 24 frames a second becomes video at 30 by 3:2 pulldown.

Of every five frames, two then consist of fields of two film frames, and each of these two repeats one field of its
neighbor. Nothing moves in the repeated field, while the other one shows motion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from service.video.packets.gaps import NumberedFrame

CYCLE = 5
STILL_SHARE = 0.2
"""A field is a repeated one if it changes by less than this share of the other's change."""
LEAST_MOTION = 1.0
"""Mean change of the other field in levels of 8 bits below which nothing can be told."""
_COLUMN_STEP = 4
_DEEPEST_BYTE = 8


def with_repeats(frames: Iterable[NumberedFrame]) -> Iterator[NumberedFrame]:
    """Yields ``frames``, those marked that are interlaced and repeat a field of the frame before."""
    before: NDArray[np.float32] | None = None
    for frame in frames:
        if not frame.picture.interlaced_frame or frame.held:
            before = None
            yield frame
            continue
        now = _brightness(frame.picture)
        yield replace(frame, repeats=before is not None and repeats_field(before, now))
        before = now


def repeats_field(before: NDArray[np.float32], now: NDArray[np.float32]) -> bool:
    """Returns whether one field of two consecutive frames, float32 [H, W] in levels of 8 bits, is the same."""
    changes = [float(np.abs(now[parity::2] - before[parity::2]).mean()) for parity in (0, 1)]
    return max(changes) > LEAST_MOTION and min(changes) < STILL_SHARE * max(changes)


def is_pulldown(repeating: Iterable[int], frames: int) -> bool:
    """Returns whether ``repeating``, some of ``frames`` consecutive frames by number, are those of a 3:2 pulldown."""
    numbers = list(repeating)
    counts = sorted(
        (sum(number % CYCLE == place for number in numbers) for place in range(CYCLE)), reverse=True
    )
    cycles = frames // CYCLE
    return cycles >= 2 and min(counts[:2]) >= cycles * 0.6 and sum(counts[2:]) <= len(numbers) * 0.1


def _brightness(picture: VideoFrame) -> NDArray[np.float32]:
    """Returns every fourth column of a picture's first plane, in levels of 8 bits: float32 [H, W // 4]."""
    plane, bits = picture.planes[0], picture.format.components[0].bits
    kind = np.uint8 if bits <= _DEEPEST_BYTE else np.uint16
    lines = np.frombuffer(bytes(plane), kind).reshape(plane.height, -1)[:, : plane.width : _COLUMN_STEP]
    return lines.astype(np.float32) / np.float32(1 << max(bits - _DEEPEST_BYTE, 0))
