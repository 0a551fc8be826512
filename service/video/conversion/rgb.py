"""Converts decoded frames to RGB arrays, RGB arrays to frames, and frames from one pixel format to another."""

from __future__ import annotations

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from service.video.color import QUALITY, Conversion, chroma_of
from service.video.conversion.matrices import weights
from service.video.conversion.planes import planes, with_chroma

_DEEP_YUV, _DEEP_RGB = "yuv444p16le", "rgb48le"
_STEPS = 65535
"""Of a sample with 16 bits."""


def to_rgb(frame: VideoFrame, how: Conversion, scaler: VideoReformatter) -> NDArray[np.uint8]:
    """Converts a decoded frame. Returns uint8 [H, W, 3], RGB, full range."""
    if chroma_of(frame.format) == "rgb":
        rgb = scaler.reformat(frame, format="rgb24", interpolation=QUALITY)
        return np.asarray(rgb.to_ndarray(), dtype=np.uint8)
    if how.ycgco:
        return np.rint(_ycgco_to_rgb(frame, how, scaler) * 255).astype(np.uint8)
    # The scaler writes planes with vector instructions, and packed pixels one by one: with the same values.
    planar = _scaled(_with_chroma(frame), "gbrp", how, how.color_range, ColorRange.JPEG, scaler)
    green, blue, red = planes(planar)
    return np.asarray(cv2.merge([red, green, blue]), dtype=np.uint8)


def from_rgb(image: NDArray[np.uint8], how: Conversion, pix_fmt: str, scaler: VideoReformatter) -> VideoFrame:
    """Converts uint8 [H, W, 3], RGB, full range, to a frame in ``pix_fmt``."""
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
    return _scaled(frame, pix_fmt, how, ColorRange.JPEG, how.color_range, scaler)


def converted(
    frame: VideoFrame, source: Conversion, target: Conversion, pix_fmt: str, scaler: VideoReformatter
) -> VideoFrame:
    """Converts a frame of a video to ``pix_fmt`` without a detour over 8 bits; returns it as it is where it fits."""
    if frame.format.name == pix_fmt and source == target:
        return frame
    if chroma_of(frame.format) == "rgb":
        return _scaled(frame, pix_fmt, target, ColorRange.JPEG, target.color_range, scaler)
    if source.ycgco and not target.ycgco:
        image = np.rint(_ycgco_to_rgb(frame, source, scaler) * _STEPS).astype(np.uint16)
        deep = VideoFrame.from_ndarray(image, format=_DEEP_RGB)
        return _scaled(deep, pix_fmt, target, ColorRange.JPEG, target.color_range, scaler)
    colored = frame if pix_fmt.startswith("gray") else _with_chroma(frame)
    return _scaled(colored, pix_fmt, source, source.color_range, target.color_range, scaler)


def _scaled(  # what the scaler is to do
    frame: VideoFrame,
    pix_fmt: str,
    how: Conversion,
    given: ColorRange,
    wanted: ColorRange,
    scaler: VideoReformatter,
) -> VideoFrame:
    return scaler.reformat(
        frame,
        format=pix_fmt,
        src_colorspace=how.matrix,
        dst_colorspace=how.matrix,
        src_color_range=given,
        dst_color_range=wanted,
        interpolation=QUALITY,
    )


def _with_chroma(frame: VideoFrame) -> VideoFrame:
    if len(frame.format.components) > 1:
        return frame
    if frame.format.components[0].bits == 1:
        frame = frame.reformat(format="gray")
    return with_chroma(frame)


def _ycgco_to_rgb(frame: VideoFrame, how: Conversion, scaler: VideoReformatter) -> NDArray[np.float32]:
    """Returns float32 [H, W, 3], RGB, 0..1. The scaler brings all planes to one size and depth, and no more."""
    fine = _scaled(frame, _DEEP_YUV, how, how.color_range, how.color_range, scaler)
    yuv = np.stack(planes(fine), axis=-1).astype(np.float32) / _STEPS
    if not how.full_range:
        yuv = (yuv * (_STEPS / 256) - [16, 128, 128]) / [219, 224, 224]
    else:
        yuv -= [0, 32768 / _STEPS, 32768 / _STEPS]
    rgb = yuv @ np.linalg.inv(weights(how)).T
    return np.clip(rgb, 0, 1).astype(np.float32)
