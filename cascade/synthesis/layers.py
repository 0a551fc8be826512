"""A scene of flat layers, back to front, and what a moving camera sees of it.

Light is linear. A layer's texture is premultiplied RGBA, so that compositing a warped layer over what lies
behind is right at soft edges too; occlusion in blur comes from compositing every sub-frame by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.trajectory import Matrices, Trajectory

SUBFRAMES_PER_PIXEL = 0.85
"""Sub-frames per pixel of path. Bilinear sampling is a tent two pixels wide: it hides steps of little more than one."""
STILL = 0.1
"""Path in pixels that no one can see: one sub-frame is enough."""
SHARP_PATH = 4.0
"""Up to this many pixels of path, sub-frames are sampled bicubically: bilinear would soften what is sharp."""
OCCUPIED = 0.5
"""Coverage from which on a pixel belongs to a layer."""


@dataclass(frozen=True)
class _Box:
    """Pixels ``left <= x < right``, ``top <= y < bottom`` of the frame."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def empty(self) -> bool:
        """Whether it holds no pixel."""
        return self.right <= self.left or self.bottom <= self.top

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    def of(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns a view of the box's part of an image [H, W, ...]."""
        return image[self.top : self.bottom, self.left : self.right]


@dataclass(frozen=True)
class Layer:
    """A flat thing in the scene, seen by a moving camera."""

    texture: NDArray[np.float32]
    """float32 [h, w, 4]: premultiplied linear light and coverage."""
    origin: tuple[float, float]
    """Where the texture's first pixel lies on the reference plane: x and y in pixels."""
    camera: Trajectory
    own: Trajectory | None = None
    """The layer's own motion over the reference plane; None for the background."""

    @property
    def opaque(self) -> bool:
        """Whether it is the background, which covers everything."""
        return self.own is None

    def matrices(self, times: NDArray[np.float64]) -> Matrices:
        """Returns the matrices [n, 3, 3] that take output pixels to texture pixels at each time."""
        to_plane = self.camera.homographies(times)
        if self.own is not None:
            to_plane = self.own.homographies(times) @ to_plane
        shift = np.eye(3)
        shift[:2, 2] = -self.origin[0], -self.origin[1]
        return np.asarray(shift @ to_plane)


def render_instants(
    layers: Sequence[Layer], times: NDArray[np.float64], size: tuple[int, int], smooth: bool
) -> Iterator[NDArray[np.float32]]:
    """Yields linear light and coverage float32 [H, W, 4] at each time, in frames of ``size`` (height, width).

    ``layers`` are given background first; ``smooth`` samples them bicubically instead of bilinearly.
    """
    matrices = [layer.matrices(times) for layer in layers]
    boxes = [_visible_boxes(*each, size) for each in zip(layers, matrices, strict=True)]
    for index in range(len(times)):
        canvas = _warp(layers[0], matrices[0][index], size, smooth)
        for layer, matrix, box in zip(layers[1:], matrices[1:], boxes[1:], strict=True):
            if not box[index].empty:
                _composite(canvas, layer, matrix[index], box[index], smooth)
        yield canvas


def render(layers: Sequence[Layer], time: float, size: tuple[int, int]) -> NDArray[np.float32]:
    """Returns linear light and coverage float32 [H, W, 4] of one instant, sampled bicubically."""
    return next(render_instants(layers, np.array([time]), size, smooth=True))


def expose(
    layers: Sequence[Layer], time: float, exposure: float, size: tuple[int, int], limit: int
) -> NDArray[np.float32]:
    """Returns the mean light [H, W, 4] over an exposure centered on ``time``, from at most ``limit`` sub-frames.

    ``time`` and ``exposure`` are in frame intervals.
    """
    path = path_length(layers, time, exposure, size)
    count = 1 if path < STILL else min(1 + int(np.ceil(path * SUBFRAMES_PER_PIXEL)), limit)
    times = time + exposure * ((np.arange(count) + 0.5) / count - 0.5)
    total = np.zeros((*size, 4), np.float32)
    for instant in render_instants(layers, times, size, smooth=path <= SHARP_PATH):
        cv2.accumulate(instant, total)
    return total / np.float32(count)


def path_length(layers: Sequence[Layer], time: float, exposure: float, size: tuple[int, int]) -> float:
    """Returns the longest path, in pixels, that any layer's content travels in the frame during the exposure."""
    times = time + exposure * np.linspace(-0.5, 0.5, 9)
    points = _frame_points(size)
    longest = 0.0
    for layer in layers:
        tracks = project(layer.matrices(times), points)
        steps = np.linalg.norm(np.diff(tracks, axis=0), axis=-1).sum(axis=0)
        longest = max(longest, float(steps.max()))
    return longest


def layer_flow(
    layers: Sequence[Layer], start: float, stop: float, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Returns the exact flow float32 [H, W, 2] (u, v in pixels) from the frame at ``start`` to the one at ``stop``.

    It is on the grid of ``start``. A pixel that several layers share belongs to the front-most one that covers at
    least half of it.
    """
    flow = np.zeros((*size, 2), np.float32)
    for layer in layers:
        first, second = layer.matrices(np.array([start, stop]))
        (box,) = _visible_boxes(layer, first[None], size)
        if not box.empty:
            covers = True if layer.opaque else _coverage(layer, first, box) >= OCCUPIED
            np.copyto(box.of(flow), _box_flow(np.linalg.solve(second, first), box), where=covers)
    return flow


def project(matrices: Matrices, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Maps points [n, 2] through matrices [m, 3, 3]: [m, n, 2]."""
    lifted = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrices.transpose(0, 2, 1)
    return np.asarray(lifted[..., :2] / lifted[..., 2:])


def _frame_points(size: tuple[int, int]) -> NDArray[np.float64]:
    bottom, right = size[0] - 1.0, size[1] - 1.0
    return np.array([[0, 0], [right, 0], [0, bottom], [right, bottom], [right / 2, bottom / 2]])


def _visible_boxes(layer: Layer, matrices: Matrices, size: tuple[int, int]) -> list[_Box]:
    """Returns, for each of the matrices, the part of the frame that the layer's texture may touch."""
    if layer.opaque:
        return [_Box(0, 0, size[1], size[0])] * len(matrices)
    height, width = layer.texture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    placed = project(np.asarray(np.linalg.inv(matrices), np.float64), corners)
    limits = np.array([size[1], size[0]])
    low = np.clip(np.floor(placed.min(axis=1)), 0, limits).astype(int)
    high = np.clip(np.ceil(placed.max(axis=1)) + 1, 0, limits).astype(int)
    return [_Box(*first, *last) for first, last in zip(low.tolist(), high.tolist(), strict=True)]


def _box_flow(matrix: NDArray[np.float64], box: _Box) -> NDArray[np.float32]:
    """Returns how far a homography moves each pixel of a box: float32 [h, w, 2]."""
    x = np.arange(box.left, box.right, dtype=np.float64)
    y = np.arange(box.top, box.bottom, dtype=np.float64)[:, None]
    depth = 1 / (matrix[2, 0] * x + (matrix[2, 1] * y + matrix[2, 2]))
    flow = np.empty((*box.size, 2), np.float32)
    flow[..., 0] = (matrix[0, 0] * x + (matrix[0, 1] * y + matrix[0, 2])) * depth - x
    flow[..., 1] = (matrix[1, 0] * x + (matrix[1, 1] * y + matrix[1, 2])) * depth - y
    return flow


def _composite(
    canvas: NDArray[np.float32],
    layer: Layer,
    matrix: NDArray[np.float64],
    box: _Box,
    smooth: bool,
) -> None:
    front = _warp_box(layer, matrix, box, smooth)
    behind = box.of(canvas)
    seen = cv2.merge([1 - front[..., 3]] * 4)
    cv2.add(cv2.multiply(behind, seen, dst=seen), front, dst=seen)
    behind[:] = seen


def _coverage(layer: Layer, matrix: NDArray[np.float64], box: _Box) -> NDArray[np.float32]:
    """Returns how far the layer covers each pixel of a box: float32 [h, w, 1] in [0, 1]."""
    return _warp_box(layer, matrix, box, smooth=False)[..., 3:]


def _warp_box(layer: Layer, matrix: NDArray[np.float64], box: _Box, smooth: bool) -> NDArray[np.float32]:
    shift = np.eye(3)
    shift[:2, 2] = box.left, box.top
    return _warp(layer, matrix @ shift, box.size, smooth)


def _warp(
    layer: Layer, matrix: NDArray[np.float64], size: tuple[int, int], smooth: bool
) -> NDArray[np.float32]:
    flags = (cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT_101 if layer.opaque else cv2.BORDER_CONSTANT
    warped = cv2.warpPerspective(layer.texture, matrix, (size[1], size[0]), flags=flags, borderMode=border)
    return np.asarray(warped, np.float32)
