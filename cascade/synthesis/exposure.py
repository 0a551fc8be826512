"""What a camera sees of a scene's layers: at one instant, and while its shutter is open.

Every sub-frame of an exposure is composited by itself: that is how occlusion in blur becomes right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.layers import Box, Layer, PlacedLayer, place, project

SUBFRAMES_PER_PIXEL = 0.85
"""Sub-frames per pixel of path. Bilinear sampling is a tent two pixels wide: it hides steps of little more than one."""
STILL = 0.1
"""Path in pixels that no one can see: one sub-frame is enough."""
SHARP_PATH = 4.0
"""Up to this many pixels of path in the frame, sub-frames are sampled bicubically: bilinear would soften the sharp."""
PATH_POINTS = 9
"""Times in an exposure at which its path is measured."""
_TRANSMISSION = np.array([[0, 0, 0, -1, 1]] * 4, np.float32)
"""From premultiplied RGBA to what a pixel lets through, in all four channels."""


def render(layers: Sequence[Layer], time: float, size: tuple[int, int]) -> NDArray[np.float32]:
    """Returns the linear light float32 [H, W, 3] of one instant, sampled bicubically.

    ``layers`` are given background first; ``size`` is height and width.
    """
    return render_frames(place(layers, np.array([time]), size))[0]


def render_frames(placed: Sequence[PlacedLayer]) -> list[NDArray[np.float32]]:
    """Returns the linear light float32 [H, W, 3] at each time that the layers are placed at, as `render` does."""
    return [_light(_composite(placed, index, smooth=True), 1) for index in range(len(placed[0].boxes))]


def expose(
    layers: Sequence[Layer], time: float, exposure: float, size: tuple[int, int], limit: int
) -> NDArray[np.float32]:
    """Returns the mean light float32 [H, W, 3] of an exposure centered on ``time``, from at most ``limit`` sub-frames.

    ``time`` and ``exposure`` are in frame intervals.
    """
    return expose_frames(layers, np.array([time]), exposure, size, limit)[0]


def expose_frames(
    layers: Sequence[Layer],
    times: NDArray[np.float64],
    exposure: float,
    size: tuple[int, int],
    limit: int,
) -> list[NDArray[np.float32]]:
    """Returns the mean light float32 [H, W, 3] of the exposures centered on each of the times, as `expose` does."""
    paths = measure_paths(layers, times, exposure, size)
    smooth = paths.frame <= SHARP_PATH
    counts = [_subframes(*each, limit) for each in zip(paths.content, smooth, strict=True)]
    moments = [
        time + exposure * ((np.arange(count) + 0.5) / count - 0.5)
        for time, count in zip(times, counts, strict=True)
    ]
    placed = place(layers, np.concatenate(moments), size)
    bounds = pairwise(np.cumsum([0, *counts]).tolist())
    return [
        _mean_light(placed, range(*bound), smooth=bool(each))
        for bound, each in zip(bounds, smooth, strict=True)
    ]


@dataclass(frozen=True, eq=False)
class Paths:
    """The longest paths of any layer in each exposure, float64 [N] in pixels."""

    content: NDArray[np.float64]
    """At the corners and the center of what the frame shows of each layer."""
    frame: NDArray[np.float64]
    """At the corners and the center of the frame, whether or not the layer reaches there."""


def measure_paths(
    layers: Sequence[Layer], times: NDArray[np.float64], exposure: float, size: tuple[int, int]
) -> Paths:
    """Measures how far the layers move in exposures centered on ``times`` [N]."""
    moments = times[:, None] + exposure * np.linspace(-0.5, 0.5, PATH_POINTS)
    longest = np.zeros((2, len(times)))
    for layer in layers:
        matrices = layer.matrices(moments.ravel()).reshape(*moments.shape, 3, 3)
        shown = layer.limits(matrices[:, PATH_POINTS // 2], size)
        frame = np.zeros_like(shown[0]), np.full_like(shown[1], size[::-1])
        points = np.concatenate([_points_to_follow(*limits) for limits in (shown, frame)], axis=1)
        steps = np.diff(project(matrices, points[:, None]), axis=1)
        lengths = np.hypot(steps[..., 0], steps[..., 1]).sum(axis=1)
        np.maximum(longest, lengths.reshape(len(times), 2, -1).max(axis=-1).T, out=longest)
    return Paths(content=longest[0], frame=longest[1])


def _points_to_follow(low: NDArray[np.int64], high: NDArray[np.int64]) -> NDArray[np.float64]:
    """Returns the corners and the center of boxes from ``low`` to ``high``, x and y [n, 2]: [n, 5, 2]."""
    left, top, right, bottom = *low.T, *np.maximum(high - 1, low).T
    across = np.stack([left, right, left, right, (left + right) / 2], axis=-1)
    down = np.stack([top, top, bottom, bottom, (top + bottom) / 2], axis=-1)
    return np.stack([across, down], axis=-1)


def _subframes(path: float, smooth: bool, limit: int) -> int:
    """Returns how many sub-frames a path needs; sharp sampling hides no steps, and takes one more."""
    if path < STILL:
        return 1
    return min(int(np.ceil(path * SUBFRAMES_PER_PIXEL)) + int(smooth), limit)


def _mean_light(placed: Sequence[PlacedLayer], indices: range, smooth: bool) -> NDArray[np.float32]:
    total = _composite(placed, indices[0], smooth)
    canvas = np.empty_like(total)
    for index in indices[1:]:
        cv2.accumulate(_composite(placed, index, smooth, canvas), total)
    return _light(total, len(indices))


def _light(total: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Returns the mean [H, W, 3] of ``count`` frames [H, W, 4] whose sum is ``total``."""
    light = np.asarray(cv2.cvtColor(total, cv2.COLOR_RGBA2RGB), np.float32)
    light *= np.float32(1 / count)
    return light


def _composite(
    placed: Sequence[PlacedLayer], index: int, smooth: bool, canvas: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Returns light and coverage float32 [H, W, 4] at time number ``index``; written to ``canvas`` if given."""
    seen = placed[0].warp(index, smooth, canvas)
    for each in placed[1:]:
        if not each.boxes[index].empty:
            _lay_over(seen, each.warp(index, smooth), each.boxes[index])
    return seen


def _lay_over(canvas: NDArray[np.float32], front: NDArray[np.float32], box: Box) -> None:
    behind = box.of(canvas)
    seen = cv2.transform(front, _TRANSMISSION)
    cv2.add(cv2.multiply(behind, seen, dst=seen), front, dst=behind)
