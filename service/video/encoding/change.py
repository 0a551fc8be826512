"""Adds what the network changed to the planes of a frame, so that what it left alone keeps every bit.

The network sees and returns 8 bits of R'G'B'. The difference of both is carried to the frame's own color model, depth
and chroma resolution: all of these are linear in R'G'B', so that the frame itself is not converted.
"""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from service.encoding.pixels import Pixels
from service.video.color import Conversion
from service.video.conversion.matrices import weights
from service.video.conversion.planes import Samples, planes

Change = NDArray[np.int16]
"""int16 [H, W, 3], RGB: levels of 255 by which the network changed a picture."""

_CHANNELS_OF_GBR = (1, 2, 0)
"""The channel of RGB that each plane of a planar format holds."""


class Applier:
    """Adds changes to frames of one format."""

    def __init__(self, pixels: Pixels, how: Conversion) -> None:
        self._pixels = pixels
        self._packed = pixels.chroma == "rgb" and pixels.depth == 8
        self._highest = (1 << pixels.depth) - 1
        self._matrix = _matrix(pixels, how)

    def apply(self, frame: VideoFrame, change: Change) -> None:
        """Changes ``frame`` in place. Where it is larger than ``change``, the change of the edge is repeated."""
        if not change.any():
            return
        whole = _padded(change, (frame.height, frame.width)).astype(np.float32)
        steps = np.asarray(cv2.transform(whole, self._matrix), np.float32)
        if self._packed:
            self._add(planes(frame)[0][:, :, 2::-1], steps)
            return
        channels = _CHANNELS_OF_GBR if self._pixels.chroma == "rgb" else (0, 1, 2)
        for samples, channel in zip(planes(frame), channels, strict=False):
            self._add(samples, _averaged(steps[:, :, channel], samples.shape))

    def _add(self, samples: Samples, steps: NDArray[np.float32]) -> None:
        np.copyto(samples, np.clip(samples + np.rint(steps), 0, self._highest), casting="unsafe")


def _matrix(pixels: Pixels, how: Conversion) -> NDArray[np.float32]:
    """Returns float32 [3, 3]: levels of 255 in RGB to steps of a sample in each plane."""
    full = ((1 << pixels.depth) - 1) / 255
    if pixels.chroma == "rgb":
        return np.eye(3, dtype=np.float32) * np.float32(full)
    if how.full_range:
        return (weights(how) * full).astype(np.float32)
    excursions = np.array([[219], [224], [224]]) / 255 * (1 << (pixels.depth - 8))
    return (weights(how) * excursions).astype(np.float32)


def _averaged(steps: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Averages over the pixels of each sample of chroma."""
    if steps.shape == shape:
        return steps
    across, down = -(-steps.shape[1] // shape[1]), -(-steps.shape[0] // shape[0])
    whole = np.ascontiguousarray(_padded(steps, (shape[0] * down, shape[1] * across)))
    return np.asarray(cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_AREA), np.float32)


def _padded(array: NDArray, size: tuple[int, int]) -> NDArray:  # type: ignore[type-arg]  # any samples
    down, right = size[0] - array.shape[0], size[1] - array.shape[1]
    if not (down or right):
        return array
    return np.pad(array, ((0, down), (0, right), *[(0, 0)] * (array.ndim - 2)), mode="edge")
