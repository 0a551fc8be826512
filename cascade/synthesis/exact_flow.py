"""The exact flow between the frames of a scene, from the motion of its layers."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.layers import Box, PlacedLayer

OCCUPIED = 0.5
"""Coverage from which on a pixel belongs to a layer."""


def exact_flows(placed: Sequence[PlacedLayer]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the flow float32 [N-1, H, W, 2] from each frame to the next, and from each next one back.

    Flow is (u, v) in pixels on the grid of the frame where it starts; ``placed`` are the layers at the N frames' times,
    background first. A pixel that several layers share belongs to the front-most one that covers at least half of it.
    """
    frames = len(placed[0].boxes)
    following = np.empty((max(frames - 1, 0), *placed[0].boxes[0].size, 2), np.float32)
    previous = np.empty_like(following)
    for each in placed:
        ahead = np.linalg.solve(each.matrices[1:], each.matrices[:-1])
        back = np.linalg.solve(each.matrices[:-1], each.matrices[1:])
        for start in range(frames):
            cover = _coverage(each, start)
            if start + 1 < frames:
                _fill(following[start], ahead[start], each.boxes[start], cover)
            if start > 0:
                _fill(previous[start - 1], back[start - 1], each.boxes[start], cover)
    return following, previous


def _coverage(placed: PlacedLayer, index: int) -> NDArray[np.uint8] | None:
    """Returns 255 where a pixel of the layer's box belongs to it, uint8 [h, w]; None for the background: all do."""
    if placed.layer.opaque or placed.boxes[index].empty:
        return None
    coverage = cv2.extractChannel(placed.warp(index, smooth=False), 3)
    return np.asarray(cv2.inRange(coverage, (OCCUPIED,), (2.0,)), np.uint8)


def _fill(
    flow: NDArray[np.float32], matrix: NDArray[np.float64], box: Box, cover: NDArray[np.uint8] | None
) -> None:
    """Writes how far a homography moves each covered pixel of a box into ``flow``, float32 [H, W, 2]."""
    if box.empty:
        return
    moved = _box_flow(matrix, box)
    if cover is None:
        box.of(flow)[:] = moved
    else:
        cv2.copyTo(moved, cover, box.of(flow))


def _box_flow(matrix: NDArray[np.float64], box: Box) -> NDArray[np.float32]:
    """Returns how far a homography moves each pixel of a box: (u, v), float32 [h, w, 2].

    u = (m00 x + m01 y + m02) / (m20 x + m21 y + m22) - x, and v alike, each on one denominator: so the numerators are
    as small as the motion, and float32 is exact enough. They are polynomials of second degree in y, whose coefficients
    depend on x: a product of matrices has them for all pixels.
    """
    x = np.arange(box.left, box.right, dtype=np.float64)
    y = np.arange(box.top, box.bottom, dtype=np.float64)
    (a, b, c), (d, e, f), (g, h, k) = matrix.tolist()
    coefficients = np.zeros((3, len(x), 2))
    coefficients[0, :, 0], coefficients[0, :, 1] = (a - k - g * x) * x + c, d * x + f
    coefficients[1, :, 0], coefficients[1, :, 1] = b - h * x, e - k - g * x
    coefficients[2, :, 1] = -h
    powers = np.stack([np.ones_like(y), y, y * y], axis=1)
    # Not `@`, which wakes threads of the BLAS, as many as cores, in each of the processes that make samples.
    moved = np.einsum("yd,dx->yx", _single(powers), _single(coefficients.reshape(3, -1)))
    depth = np.add.outer(_single(h * y + k), _single(np.repeat(g * x, 2)))
    return np.asarray(np.divide(moved, depth, out=depth), np.float32).reshape(*box.size, 2)


def _single(values: NDArray[np.float64]) -> NDArray[np.float32]:
    return values.astype(np.float32)
