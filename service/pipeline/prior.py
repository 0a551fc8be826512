"""The temporal sharpness prior of input frames, as pictures for people: where does a frame agree with its neighbours?

The network computes the same figure for itself, with its own optical flow, inside its graph. Here it is the paper's
formula in the form of the released code, ``S = exp(-sqrt(1/2 sum_j |m(warped_j) - m(centre)|^2))`` with 5x5 box
means ``m`` of RGB in [0, 1], on OpenCV's DIS flow and at a small size: cheap enough for every frame, close enough to
see what the network is told, not what it computed to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from service.inference.engine import Frames
from service.types import CONTEXT_FRAMES

SIDE = 160
"""The longer side of a map, in pixels: about 2 ms per frame, and enough to see which parts are sharp."""
_SMALLEST = 32
"""DIS finds nothing in less."""
_BOX = (5, 5)

Maps = NDArray[np.uint8]
"""uint8 [T, h, w]: 255 where S is 1."""


def prior_maps(window: Frames) -> Maps | None:
    """The prior of the T inner frames of uint8 [T+4, H, W, 3]; None where OpenCV is not installed."""
    try:
        import cv2
    except ImportError:
        return None
    side = CONTEXT_FRAMES // 2
    size = _map_size(window.shape[2], window.shape[1])
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in window[side - 1 : 1 - side]]
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in small]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    grid = np.stack(np.meshgrid(*map(np.arange, size)), axis=-1).astype(np.float32)

    def mismatch(centre: int, other: int) -> NDArray[np.float32]:
        at = grid + flow.calc(grey[centre], grey[other], None)  # type: ignore[call-overload]  # None: no first guess
        x, y = cv2.split(at)
        warped = cv2.remap(small[other], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        difference = warped.astype(np.float32) - small[centre].astype(np.float32)
        mean = cv2.blur(difference / 255, _BOX, borderType=cv2.BORDER_CONSTANT)
        return np.asarray((mean**2).sum(axis=2), np.float32)

    return np.stack([_prior(mismatch, index) for index in range(1, len(small) - 1)])


def _prior(mismatch: Callable[[int, int], NDArray[np.float32]], centre: int) -> NDArray[np.uint8]:
    both = mismatch(centre, centre - 1) + mismatch(centre, centre + 1)
    return np.asarray(np.rint(255 * np.exp(-np.sqrt(0.5 * both))), np.uint8)


def _map_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, both even, as video coding wants them."""
    scale = min(1.0, SIDE / max(width, height))
    return tuple(max(_SMALLEST, round(side * scale / 2) * 2) for side in (width, height))  # type: ignore[return-value]
