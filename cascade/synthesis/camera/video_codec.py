"""Frames as a video codec leaves them: encoded as one H.264 or HEVC stream in memory, and decoded again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction
from typing import cast

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


class Codec(StrEnum):
    """Standards of compression, each with an encoder that PyAV's FFmpeg holds."""

    H264 = "h264"
    HEVC = "hevc"


class ColorMatrix(IntEnum):
    """From RGB to luma and chroma, by the numbers of FFmpeg's scaler."""

    BT709 = 1
    BT601 = 5


@dataclass(frozen=True)
class CodecSettings:
    """How a stream is compressed, 4:2:0 in limited range as cameras do."""

    crf: float = 23.0
    """Constant rate factor of the encoder, 0 to 51: more is worse."""
    codec: Codec = Codec.H264
    preset: str = "medium"
    """The encoder's effort, ``ultrafast`` to ``placebo``."""
    key_distance: int = 250
    """Most frames from one key frame to the next; with 1 every frame is coded by itself."""
    matrix: ColorMatrix = ColorMatrix.BT709


class VideoCodecError(RuntimeError):
    """Raised when FFmpeg cannot code the frames, as with an unknown preset."""


_ENCODERS = {Codec.H264: "libx264", Codec.HEVC: "libx265"}
_RATE = 30
"""Frames per second: the encoders spend a little less on frames that are shown for a short time."""
_LEAST_SIDE = 64
"""Height and width, at least, of what is encoded: with narrower frames x265 writes beyond its memory."""
_CPU_AVX_512F = 13
"""OpenCV's number of this feature, which has no name in its Python module."""
_ENCODER_OPTIONS = {
    # With AVX-512, x264's look-ahead reads memory that it never wrote, and the result is not the same every time.
    Codec.H264: {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_CPU_AVX_512F) else {},
    # One thread: samples are made by one process per core. Without a log level x265 writes to the terminal.
    Codec.HEVC: {"x265-params": "log-level=none:pools=none:frame-threads=1:wpp=0"},
}
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_QUALITY = _EXACT | Interpolation.FULL_CHR_H_INP
"""The scaler's flags without which the conversion of colors itself costs levels."""


def through_codec(frames: Frames, settings: CodecSettings) -> Frames:
    """Returns ``frames``, uint8 [N, H, W, 3] RGB, as a decoder shows them: same shape, another array.

    The same frames and settings give the same result on one machine. Odd sides and sides below 64 pixels are continued
    by their last row and column for the encoder. Raises VideoCodecError.
    """
    result = np.empty_like(frames)
    height, width = frames.shape[1:3]
    shown = 0
    try:
        for image in _decode(_encode(frames, settings), settings):
            result[shown] = image[:height, :width]
            shown += 1
    except (av.FFmpegError, IndexError) as error:
        raise VideoCodecError(f"The frames cannot be coded with {settings}.") from error
    if shown != len(frames):
        raise VideoCodecError(f"Of {len(frames)} frames the decoder returned {shown}.")
    return result


def _encode(frames: Frames, settings: CodecSettings) -> Iterator[Packet[VideoStream]]:
    """Yields the packets of one stream, in the order of decoding."""
    if not len(frames):
        return
    padded = _pad(frames[0])
    encoder = _encoder(padded.shape[0], padded.shape[1], settings)
    scaler = VideoReformatter()
    for number, image in enumerate(frames):
        frame = _to_yuv(_pad(image), settings.matrix, scaler)
        frame.pts, frame.time_base = number, Fraction(1, _RATE)
        yield from encoder.encode(frame)
    yield from encoder.encode(None)


def _encoder(height: int, width: int, settings: CodecSettings) -> VideoCodecContext:
    encoder = cast(VideoCodecContext, av.CodecContext.create(_ENCODERS[settings.codec], "w"))
    encoder.height, encoder.width, encoder.pix_fmt = height, width, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, _RATE), Fraction(_RATE)
    encoder.gop_size = settings.key_distance
    encoder.thread_count = 1
    encoder.options = {
        "crf": str(settings.crf),
        "preset": settings.preset,
        **_ENCODER_OPTIONS[settings.codec],
    }
    return encoder


def _decode(packets: Iterator[Packet[VideoStream]], settings: CodecSettings) -> Iterator[NDArray[np.uint8]]:
    """Yields the pictures, uint8 [H, W, 3] RGB, in the order in which they are shown."""
    decoder = av.CodecContext.create(settings.codec.value, "r")
    decoder.thread_count = 1
    scaler = VideoReformatter()
    for packet in packets:
        for frame in decoder.decode(packet):
            yield _to_rgb(frame, settings.matrix, scaler)
    if decoder.is_open:
        for frame in decoder.decode(None):
            yield _to_rgb(frame, settings.matrix, scaler)


def _pad(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Continues an image [H, W, 3] to sides that the encoders take, by its last row and column."""
    down, right = (max(side + side % 2, _LEAST_SIDE) - side for side in image.shape[:2])
    if not down and not right:
        return np.ascontiguousarray(image)
    padded = cv2.copyMakeBorder(np.ascontiguousarray(image), 0, down, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(padded, np.uint8)


def _to_yuv(image: NDArray[np.uint8], matrix: ColorMatrix, scaler: VideoReformatter) -> VideoFrame:
    return scaler.reformat(
        VideoFrame.from_ndarray(image, format="rgb24"),
        format="yuv420p",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=_QUALITY,
        threads=1,
    )


def _to_rgb(frame: VideoFrame, matrix: ColorMatrix, scaler: VideoReformatter) -> NDArray[np.uint8]:
    # FFmpeg's way to a picture of three planes has the same result as to one plane, in a third of the time.
    converted = scaler.reformat(
        frame,
        format="gbrp",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=_QUALITY,
        threads=1,
    )
    return np.asarray(converted.to_ndarray(), np.uint8)
