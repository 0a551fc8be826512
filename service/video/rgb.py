"""Converts decoded frames to RGB arrays and back."""

from __future__ import annotations

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from service.video.color import QUALITY, Conversion


def to_rgb(frame: VideoFrame, how: Conversion, scaler: VideoReformatter) -> NDArray[np.uint8]:
    """Converts a decoded frame. Returns uint8 [H, W, 3], RGB, full range."""
    if frame.format.is_rgb:
        converted = scaler.reformat(frame, format="rgb24", interpolation=QUALITY)
    else:
        converted = scaler.reformat(
            frame,
            format="rgb24",
            src_colorspace=how.matrix,
            dst_colorspace=how.matrix,
            src_color_range=how.color_range,
            dst_color_range=ColorRange.JPEG,
            interpolation=QUALITY,
        )
    return np.asarray(converted.to_ndarray(), dtype=np.uint8)


def from_rgb(image: NDArray[np.uint8], how: Conversion, pix_fmt: str, scaler: VideoReformatter) -> VideoFrame:
    """Converts uint8 [H, W, 3], RGB, full range, to a frame in ``pix_fmt``."""
    return scaler.reformat(
        VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"),
        format=pix_fmt,
        src_colorspace=how.matrix,
        dst_colorspace=how.matrix,
        src_color_range=ColorRange.JPEG,
        dst_color_range=how.color_range,
        interpolation=QUALITY,
    )
