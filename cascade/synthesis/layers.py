"""Flat layers of a scene, and where in the frame a moving camera sees them.

Light is linear. A layer's texture is premultiplied RGBA, so that compositing a warped layer over what lies behind is
right at soft edges too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.trajectory import Matrices, Trajectory

WHOLE = 1e-9
"""Largest difference from a shift by whole pixels that is none: the middle frame's view needs no sampling."""


@dataclass(frozen=True)
class Box:
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

    @cached_property
    def light(self) -> NDArray[np.float32]:
        """The texture without its coverage: float32 [h, w, 3]."""
        return np.asarray(cv2.cvtColor(self.texture, cv2.COLOR_RGBA2RGB), np.float32)

    def matrices(self, times: NDArray[np.float64]) -> Matrices:
        """Returns the matrices [n, 3, 3] that take output pixels to texture pixels at each time."""
        to_plane = self.camera.homographies(times)
        if self.own is not None:
            to_plane = self.own.homographies(times) @ to_plane
        # The texture begins at the origin: what shifts by it, shifts by it times the homogeneous coordinate.
        to_plane[:, 0] -= self.origin[0] * to_plane[:, 2]
        to_plane[:, 1] -= self.origin[1] * to_plane[:, 2]
        return to_plane

    def limits(
        self, matrices: Matrices, size: tuple[int, int]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Returns the first and the end x, y of the part of the frame that the texture may touch: int64 [n, 2] both.

        ``matrices`` [n, 3, 3] take output pixels to texture pixels; ``size`` is the frame's height and width.
        """
        edge = np.array([size[1], size[0]])
        if self.opaque:
            return np.zeros((len(matrices), 2), np.int64), np.tile(edge, (len(matrices), 1))
        height, width = self.texture.shape[:2]
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
        placed = project(np.asarray(np.linalg.inv(matrices), np.float64), corners)
        low = np.clip(np.floor(placed.min(axis=1)), 0, edge).astype(np.int64)
        high = np.clip(np.ceil(placed.max(axis=1)) + 1, 0, edge).astype(np.int64)
        return low, high


@dataclass(frozen=True)
class PlacedLayer:
    """A layer at n times."""

    layer: Layer
    matrices: Matrices
    """[n, 3, 3]: from output pixels to texture pixels."""
    boxes: Sequence[Box]
    """The part of the frame that the texture may touch, at each time."""
    from_box: Matrices
    """[n, 3, 3]: from pixels of the box to texture pixels."""

    def warp(self, index: int, smooth: bool, into: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Returns the box's part of the frame at time number ``index``: float32 [h, w, 4], premultiplied.

        ``smooth`` samples bicubically instead of bilinearly; ``into`` is an array of that shape to write to.
        """
        if smooth and self.layer.opaque:
            # Bicubic sampling takes its time by the channel, and the background's coverage is 1 everywhere.
            return np.asarray(cv2.cvtColor(self._light(index), cv2.COLOR_RGB2RGBA, dst=into), np.float32)
        flags = (cv2.INTER_CUBIC if smooth else cv2.INTER_LINEAR) | cv2.WARP_INVERSE_MAP
        border = cv2.BORDER_REFLECT_101 if self.layer.opaque else cv2.BORDER_CONSTANT
        size = self.boxes[index].size[::-1]
        warped = cv2.warpPerspective(
            self.layer.texture, self.from_box[index], size, dst=into, flags=flags, borderMode=border
        )
        return np.asarray(warped, np.float32)

    def _light(self, index: int) -> NDArray[np.float32]:
        """Returns the background's light at time number ``index``, sampled bicubically: float32 [h, w, 3]."""
        matrix, (height, width) = self.from_box[index], self.boxes[index].size
        x, y = np.round(matrix[:2, 2]).astype(int).tolist()
        inside = min(x, y) >= 0 and x + width <= self.layer.light.shape[1]
        inside = inside and y + height <= self.layer.light.shape[0]
        if inside and np.abs(matrix - [[1, 0, x], [0, 1, y], [0, 0, 1]]).max() < WHOLE:
            return self.layer.light[y : y + height, x : x + width]
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        warped = cv2.warpPerspective(
            self.layer.light, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101
        )
        return np.asarray(warped, np.float32)


def place(layers: Sequence[Layer], times: NDArray[np.float64], size: tuple[int, int]) -> list[PlacedLayer]:
    """Places the layers at all ``times`` at once, in frames of ``size`` (height, width)."""
    return [_place(layer, layer.matrices(times), size) for layer in layers]


def project(matrices: Matrices, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Maps points [..., n, 2] through matrices [..., 3, 3]: [..., n, 2]."""
    lifted = points @ matrices[..., :2].swapaxes(-1, -2) + matrices[..., None, :, 2]
    return np.asarray(lifted[..., :2] / lifted[..., 2:])


def _place(layer: Layer, matrices: Matrices, size: tuple[int, int]) -> PlacedLayer:
    if layer.opaque:
        return PlacedLayer(layer, matrices, [Box(0, 0, size[1], size[0])] * len(matrices), matrices)
    low, high = layer.limits(matrices, size)
    boxes = [Box(*first, *last) for first, last in zip(low.tolist(), high.tolist(), strict=True)]
    from_box = matrices.copy()
    from_box[:, :, 2] += matrices[:, :, 0] * low[:, :1] + matrices[:, :, 1] * low[:, 1:]
    return PlacedLayer(layer, matrices, boxes, from_box)
