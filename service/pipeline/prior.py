"""The temporal sharpness prior of input frames, as pictures for people: where does a frame agree with its neighbours?

The network computes the same figure for itself, with its own optical flow, inside its graph. Here it is the paper's
formula in the form of the released code, ``S = exp(-sqrt(1/2 sum_j |m(warped_j) - m(centre)|^2))`` with 5x5 box
means ``m`` of RGB in [0, 1], on OpenCV's DIS flow and at a small size: cheap enough for every frame, close enough to
see what the network is told, not what it computed to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from service.inference.engine import Frames
from service.types import CONTEXT_FRAMES

SIDE = 240
"""The longer side of a map, in pixels: a few ms per frame, and enough to see which parts are sharp."""
BLACK = 0.7
"""Where a heat map is black: S is mostly above 0.9 also in blurred frames."""
_SMALLEST = 32
"""DIS finds nothing in less."""
_BOX = (5, 5)
_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 85)

Jpeg = bytes
Maps = NDArray[np.uint8]
"""uint8 [T, h, w]: 255 where S is 1."""


def prior_maps(window: Frames) -> Maps:
    """The prior of the T inner frames of uint8 [T+4, H, W, 3]."""
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


def heat_map(prior: NDArray[np.uint8]) -> Jpeg:
    """A map of uint8 [h, w] as a JPEG picture: pale yellow where S is 1, black from BLACK down."""
    shown = np.clip((prior / np.float32(255) - BLACK) / (1 - BLACK), 0, 1) * 255
    _, data = cv2.imencode(".jpg", cv2.applyColorMap(shown.astype(np.uint8), cv2.COLORMAP_INFERNO), _JPEG)
    return data.tobytes()


def _prior(mismatch: Callable[[int, int], NDArray[np.float32]], centre: int) -> NDArray[np.uint8]:
    both = mismatch(centre, centre - 1) + mismatch(centre, centre + 1)
    return np.asarray(np.rint(255 * np.exp(-np.sqrt(0.5 * both))), np.uint8)


def _map_size(width: int, height: int) -> tuple[int, int]:
    """Width and height, both even, as video coding wants them."""
    scale = min(1.0, SIDE / max(width, height))
    return tuple(max(_SMALLEST, round(side * scale / 2) * 2) for side in (width, height))  # type: ignore[return-value]
