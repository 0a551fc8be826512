"""Computes the temporal sharpness prior of input frames as pictures: they show where a frame agrees with its neighbors.

The network computes the prior itself, inside its graph and with its own optical flow. This module computes the released
code's form of the paper's equation, ``S = exp(-sqrt(1/2 sum_j |m(warped_j) - m(center)|^2))`` with 5x5 box means ``m``
of RGB in [0, 1], on OpenCV's DIS flow and at a small size. That is cheap enough for every frame, and close to what the
network sees, but not equal to it.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from service.inference.engine import Frames
from service.types import CONTEXT_FRAMES

SIDE = 240
"""Pixels of a map's longer side: takes a few ms per frame, and shows which parts are sharp."""
BLACK = 0.7
"""The S from which down a heat map is black: even blurred frames are mostly above 0.9."""
_SMALLEST = 32
"""Pixels of a side below which DIS finds no flow."""
_BOX = (5, 5)
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 85)

Jpeg = bytes
"""A JPEG file."""
Maps = NDArray[np.uint8]
"""uint8 [T, h, w]: 255 where S is 1."""


def prior_maps(window: Frames) -> Maps:
    """Returns the prior of the T inner frames of ``window``, uint8 [T+4, H, W, 3], RGB."""
    side = CONTEXT_FRAMES // 2
    size = _map_size(window.shape[2], window.shape[1])
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in window[side - 1 : 1 - side]]
    gray = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in small]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    grid = np.stack(np.meshgrid(*map(np.arange, size)), axis=-1).astype(np.float32)

    def mismatch(center: int, other: int) -> NDArray[np.float32]:
        at = grid + flow.calc(gray[center], gray[other], None)  # type: ignore[call-overload]  # None: no first guess
        x, y = cv2.split(at)
        warped = cv2.remap(small[other], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        difference = warped.astype(np.float32) - small[center].astype(np.float32)
        mean = cv2.blur(difference / 255, _BOX, borderType=cv2.BORDER_CONSTANT)
        return np.asarray((mean**2).sum(axis=2), np.float32)

    return np.stack([_prior(mismatch, index) for index in range(1, len(small) - 1)])


def heat_map(prior: NDArray[np.uint8]) -> Jpeg:
    """Returns a map, uint8 [h, w], as a JPEG picture: pale yellow where S is 1, black from ``BLACK`` down."""
    levels = np.clip((prior / np.float32(255) - BLACK) / (1 - BLACK), 0, 1) * 255
    _, data = cv2.imencode(".jpg", cv2.applyColorMap(levels.astype(np.uint8), cv2.COLORMAP_INFERNO), _JPEG)
    return data.tobytes()


def _prior(mismatch: Callable[[int, int], NDArray[np.float32]], center: int) -> NDArray[np.uint8]:
    both = mismatch(center, center - 1) + mismatch(center, center + 1)
    return np.asarray(np.rint(255 * np.exp(-np.sqrt(0.5 * both))), np.uint8)


def _map_size(width: int, height: int) -> tuple[int, int]:
    """Returns the width and height of a map, both even."""
    scale = min(1.0, SIDE / max(width, height))
    return tuple(max(_SMALLEST, round(side * scale / 2) * 2) for side in (width, height))  # type: ignore[return-value]
