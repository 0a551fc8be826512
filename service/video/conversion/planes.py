"""Gives the samples of a frame as arrays that share its memory."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

Samples: TypeAlias = "NDArray[np.integer[Any]]"
"""uint8, or uint16 for more than 8 bits."""

_PACKED = {"bgr0": 4, "bgra": 4}
"""Samples per pixel of the formats that hold all in one plane."""


def planes(frame: VideoFrame) -> list[Samples]:
    """Returns the planes of a frame, [height, width], or [height, width, 4] for packed BGR.

    The frame is gray, planar or packed BGR; samples of more than 8 bits are uint16 in the machine's order.
    """
    packed = _PACKED.get(frame.format.name, 1)
    bytes_ = 1 if frame.format.components[0].bits <= 8 else 2
    return [_samples(plane, packed, bytes_) for plane in frame.planes]


def is_planar(frame: VideoFrame) -> bool:
    """Returns whether each component of a frame has a plane of its own."""
    return len(frame.planes) == len(frame.format.components)


def _samples(plane: VideoPlane, packed: int, bytes_: int) -> Samples:
    rows: NDArray[np.uint8] = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
    if plane.line_size < 0:
        rows = rows[::-1]  # bottom-up, as in BMP
    used = rows[:, : plane.width * packed * bytes_]
    if packed > 1:
        return used.reshape(plane.height, plane.width, packed)
    return used if bytes_ == 1 else used.view(np.uint16)


def grown(frame: VideoFrame, width: int, height: int) -> VideoFrame:
    """Returns a copy of a frame with its edges repeated up to a size, at most one chroma sample larger."""
    copy = VideoFrame(width, height, frame.format.name)
    for given, taken in zip(planes(frame), planes(copy), strict=True):
        high, wide = given.shape[:2]
        taken[:high, :wide] = given
        taken[:high, wide:] = given[:, -1:]
        taken[high:] = taken[high - 1]
    return copy


def with_chroma(gray: VideoFrame) -> VideoFrame:
    """Returns a gray frame as Y'CbCr without color: FFmpeg's scaler takes all gray for full range."""
    depth = gray.format.components[0].bits
    frame = VideoFrame(gray.width, gray.height, f"yuv420p{depth}le" if depth > 8 else "yuv420p")
    luma, *chroma = planes(frame)
    luma[:] = planes(gray)[0]
    for each in chroma:
        each[:] = 1 << (depth - 1)
    frame.pts, frame.time_base = gray.pts, gray.time_base
    return frame
