"""Encodes restored frames into a piece: a closed-GOP MP4 that can be joined to others by packet copy."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import cast

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from service.errors.pipeline import PipelineError
from service.types import EncodeOptions
from service.video.color import conversion, result_tags
from service.video.rgb import from_rgb
from service.video.source import Source
from service.video.timing import piece_time_base, result_pts, ticks, timescale_options

_ENCODERS = {"h264": "libx264"}
_CPU_AVX_512F = 13
"""OpenCV's number of this feature, which has no name in its Python module."""
_X264 = {
    "preset": "medium",
    "threads": "2",  # a fixed number: x264's bytes depend on it, and pieces must not depend on the machine
    "bf": "0",  # packets in presentation order, and durations that MP4 holds exactly
    # Without open-gop=0 a piece refers to its neighbor. With AVX-512, x264's look-ahead reads memory that it never
    # wrote where a picture's width is no multiple of 128: now and then a piece has other bytes. AVX2 is as fast.
    "x264-params": "open-gop=0" + (":asm=AVX2" if cv2.checkHardwareSupport(_CPU_AVX_512F) else ""),
}


def result_pixel_format(width: int, height: int) -> str:
    """Returns ``yuv420p``, which every player decodes, or ``yuv444p`` for odd sizes.

    H.264 can state a 4:2:0 size, cropping included, in steps of two pixels only. Full chroma resolution keeps
    an odd size exact; Chromium and FFmpeg play it, players that rely on hardware may not.
    """
    return "yuv444p" if width % 2 or height % 2 else "yuv420p"


class PieceEncoder:
    """Writes one piece. All pieces of one source with the same options have equal parameters, so they can be joined.

    Used as a context manager: leaving it without an error completes the file.
    """

    def __init__(self, target: Path, source: Source, options: EncodeOptions) -> None:
        """Creates the file ``target``. Raises PipelineError for a codec that is not supported."""
        if options.codec not in _ENCODERS:
            raise PipelineError(
                f"Results are encoded as {' or '.join(_ENCODERS)}; {options.codec!r} was asked for."
            )
        self._source = source
        self._time_base = piece_time_base(source.index)
        self._tags = result_tags(source.picture.color)
        self._conversion = conversion(self._tags, source.picture.height)
        self._scaler = VideoReformatter()
        self._container = av.open(str(target), "w", format="mp4", options=timescale_options(self._time_base))
        self._stream = self._add_stream(options)

    def __enter__(self) -> PieceEncoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
        except av.FFmpegError as failure:
            raise PipelineError(f"The piece cannot be written: {failure.strerror}.") from failure
        finally:
            self._container.close()

    def write(self, image: NDArray[np.uint8], number: int) -> None:
        """Encodes ``image``, uint8 [H, W, 3] RGB, as the source's frame ``number``, with that frame's time.

        Raises PipelineError.
        """
        index = self._source.index
        frame = from_rgb(
            image, self._conversion, self._stream.codec_context.pix_fmt or "yuv420p", self._scaler
        )
        frame.pts = result_pts(index, number)
        frame.time_base = self._time_base
        frame.duration = ticks(index.step(number) * index.time_base, self._time_base)
        try:
            self._container.mux(self._stream.encode(frame))
        except av.FFmpegError as failure:
            raise PipelineError(f"Frame {number} cannot be encoded: {failure.strerror}.") from failure

    def _add_stream(self, options: EncodeOptions) -> VideoStream:
        picture = self._source.picture
        added = self._container.add_stream(
            _ENCODERS[options.codec],
            rate=self._source.index.rate,
            options={**_X264, "crf": str(options.crf)},
            width=picture.width,
            height=picture.height,
        )
        stream = cast(VideoStream, added)
        context = stream.codec_context
        context.pix_fmt = result_pixel_format(picture.width, picture.height)
        stream.time_base = context.time_base = self._time_base
        context.color_primaries = self._tags.primaries
        context.color_trc = self._tags.transfer
        context.colorspace = self._tags.matrix
        context.color_range = ColorRange.JPEG if self._tags.full_range else ColorRange.MPEG
        if picture.pixel_aspect:
            context.sample_aspect_ratio = picture.pixel_aspect
        return stream
