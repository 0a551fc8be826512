"""A scene of flat layers, back to front, and what a moving camera sees of it.

Light is linear. A layer's texture is premultiplied RGBA, so that compositing a warped layer over what lies
behind is right at soft edges too; occlusion in blur comes from compositing every sub-frame by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.data.trajectory import Matrices, Trajectory

SUBFRAMES_PER_PIXEL = 1.0
"""At one sub-frame per pixel of path, bilinear sampling hides the steps between sub-frames."""
SHARP_PATH = 4.0
"""Up to this many pixels of path, sub-frames are sampled bicubically: bilinear would soften what is sharp."""
OCCUPIED = 0.5


@dataclass(frozen=True)
class Layer:
    """``texture`` float32 [h, w, 4], premultiplied linear light and coverage; ``origin`` (x, y) is where its
    first pixel lies on the reference plane; ``own`` moves it over that plane, None for the background."""

    texture: NDArray[np.float32]
    origin: tuple[float, float]
    camera: Trajectory
    own: Trajectory | None = None

    @property
    def opaque(self) -> bool:
        return self.own is None

    def matrices(self, times: NDArray[np.float64]) -> Matrices:
        """Matrices [n, 3, 3] that take output pixels to texture pixels at each time."""
        to_plane = self.camera.homographies(times)
        if self.own is not None:
            to_plane = self.own.homographies(times) @ to_plane
        shift = np.eye(3)
        shift[:2, 2] = -self.origin[0], -self.origin[1]
        return np.asarray(shift @ to_plane)


def render(
    layers: Sequence[Layer], matrices: Sequence[NDArray[np.float64]], size: tuple[int, int], smooth: bool
) -> NDArray[np.float32]:
    """Linear light [H, W, 4] of one instant; ``matrices`` holds one [3, 3] per layer, background first."""
    canvas = _warp(layers[0], matrices[0], size, smooth)
    for layer, matrix in zip(layers[1:], matrices[1:], strict=True):
        box = visible_box(layer, matrix, size)
        if box is not None:
            _composite(canvas, layer, matrix, box, smooth)
    return canvas


def expose(
    layers: Sequence[Layer], time: float, exposure: float, size: tuple[int, int], limit: int
) -> NDArray[np.float32]:
    """The mean light [H, W, 4] over an exposure centred on ``time``, from at most ``limit`` sub-frames."""
    path = path_length(layers, time, exposure, size)
    count = int(np.clip(np.ceil(path * SUBFRAMES_PER_PIXEL), 1, limit))
    times = time + exposure * ((np.arange(count) + 0.5) / count - 0.5)
    matrices = [layer.matrices(times) for layer in layers]
    total = np.zeros((*size, 4), np.float32)
    for index in range(count):
        instant = render(layers, [each[index] for each in matrices], size, smooth=path <= SHARP_PATH)
        cv2.accumulate(instant, total)
    return total / np.float32(count)


def path_length(layers: Sequence[Layer], time: float, exposure: float, size: tuple[int, int]) -> float:
    """The longest path, in pixels, that any layer's content travels in the frame during the exposure."""
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
    """Exact flow [H, W, 2] (u, v in pixels) on the grid of time ``start``: where its content is at ``stop``.

    A pixel that several layers share belongs to the front-most one that covers at least half of it.
    """
    flow = np.zeros((*size, 2), np.float32)
    for layer in layers:
        first, second = layer.matrices(np.array([start, stop]))
        box = (0, 0, size[1], size[0]) if layer.opaque else visible_box(layer, first, size)
        if box is not None:
            x0, y0, x1, y1 = box
            covers = True if layer.opaque else _coverage(layer, first, box) >= OCCUPIED
            np.copyto(flow[y0:y1, x0:x1], _box_flow(np.linalg.solve(second, first), box), where=covers)
    return flow


def visible_box(
    layer: Layer, matrix: NDArray[np.float64], size: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """The part of the frame that the layer's texture may touch, as x0, y0, x1, y1; None when out of sight."""
    height, width = layer.texture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    placed = project(np.asarray(np.linalg.inv(matrix), np.float64)[None], corners)[0]
    low, high = np.floor(placed.min(axis=0)), np.ceil(placed.max(axis=0)) + 1
    x0, y0 = np.clip(low, 0, (size[1], size[0])).astype(int)
    x1, y1 = np.clip(high, 0, (size[1], size[0])).astype(int)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None


def project(matrices: Matrices, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points [n, 2] through matrices [m, 3, 3]: [m, n, 2]."""
    lifted = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ matrices.transpose(0, 2, 1)
    return np.asarray(lifted[..., :2] / lifted[..., 2:])


def _frame_points(size: tuple[int, int]) -> NDArray[np.float64]:
    bottom, right = size[0] - 1.0, size[1] - 1.0
    return np.array([[0, 0], [right, 0], [0, bottom], [right, bottom], [right / 2, bottom / 2]])


def _box_flow(matrix: NDArray[np.float64], box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """How far a homography moves each pixel of a box."""
    x0, y0, x1, y1 = box
    x = np.arange(x0, x1, dtype=np.float64)
    y = np.arange(y0, y1, dtype=np.float64)[:, None]
    depth = 1 / (matrix[2, 0] * x + (matrix[2, 1] * y + matrix[2, 2]))
    flow = np.empty((y1 - y0, x1 - x0, 2), np.float32)
    flow[..., 0] = (matrix[0, 0] * x + (matrix[0, 1] * y + matrix[0, 2])) * depth - x
    flow[..., 1] = (matrix[1, 0] * x + (matrix[1, 1] * y + matrix[1, 2])) * depth - y
    return flow


def _composite(
    canvas: NDArray[np.float32],
    layer: Layer,
    matrix: NDArray[np.float64],
    box: tuple[int, int, int, int],
    smooth: bool,
) -> None:
    x0, y0, x1, y1 = box
    front = _warp_box(layer, matrix, box, smooth)
    behind = canvas[y0:y1, x0:x1]
    seen = cv2.merge([1 - front[..., 3]] * 4)
    cv2.add(cv2.multiply(behind, seen, dst=seen), front, dst=seen)
    behind[:] = seen


def _coverage(
    layer: Layer, matrix: NDArray[np.float64], box: tuple[int, int, int, int]
) -> NDArray[np.float32]:
    """[h, w, 1] of a box."""
    return _warp_box(layer, matrix, box, smooth=False)[..., 3:]


def _warp_box(
    layer: Layer, matrix: NDArray[np.float64], box: tuple[int, int, int, int], smooth: bool
) -> NDArray[np.float32]:
    x0, y0, x1, y1 = box
    shift = np.eye(3)
    shift[:2, 2] = x0, y0
    return _warp(layer, matrix @ shift, (y1 - y0, x1 - x0), smooth)


def _warp(
    layer: Layer, matrix: NDArray[np.float64], size: tuple[int, int], smooth: bool
) -> NDArray[np.float32]:
    flags = (cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REFLECT_101 if layer.opaque else cv2.BORDER_CONSTANT
    warped = cv2.warpPerspective(layer.texture, matrix, (size[1], size[0]), flags=flags, borderMode=border)
    return np.asarray(warped, np.float32)
