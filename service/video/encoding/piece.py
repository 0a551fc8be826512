"""Encodes restored frames into a piece: a file of its own that can be joined to others by packet copy."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from service.encoding.choice import result_pixels
from service.encoding.codecs import CODECS
from service.encoding.pixels import Pixels
from service.errors.pipeline import PipelineError
from service.types import EncodeOptions
from service.video.color import conversion, result_tags
from service.video.encoding.encoders import Encoder, software
from service.video.muxing import MUXERS, piece_container, piece_options
from service.video.rgb import from_rgb
from service.video.source import Source
from service.video.timing import piece_time_base, result_pts, ticks


class PieceEncoder:
    """Writes one piece. All pieces of one source with the same options have equal parameters, so they can be joined.

    Used as a context manager: leaving it without an error completes the file.
    """

    def __init__(self, target: Path, source: Source, options: EncodeOptions) -> None:
        """Creates the file ``target``. Raises PipelineError for a codec that is not supported."""
        if options.codec not in CODECS:
            raise PipelineError(
                f"Results are encoded as {' or '.join(CODECS)}; {options.codec!r} was asked for."
            )
        self._source = source
        self._time_base = piece_time_base(source.index)
        self._tags = result_tags(source.picture.color)
        self._conversion = conversion(self._tags, source.picture.height)
        self._scaler = VideoReformatter()
        self._pixels = result_pixels(options, source.picture.pixels)
        self._padding = _padding(source.picture.width, source.picture.height, self._pixels, options)
        container = piece_container(options.codec, self._pixels.alpha)
        self._container = av.open(
            str(target), "w", format=MUXERS[container], options=piece_options(container, self._time_base)
        )
        self._stream = self._add_stream(software(options, self._pixels, source.picture.height))

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
        frame = self._frame(image)
        frame.pts = result_pts(index, number)
        frame.time_base = self._time_base
        frame.duration = ticks(index.step(number) * index.time_base, self._time_base)
        try:
            self._container.mux(self._stream.encode(frame))
        except av.FFmpegError as failure:
            raise PipelineError(f"Frame {number} cannot be encoded: {failure.strerror}.") from failure

    def _frame(self, image: NDArray[np.uint8]) -> VideoFrame:
        if self._padding != (0, 0):
            down, right = self._padding
            image = np.pad(image, ((0, down), (0, right), (0, 0)), mode="edge")
        return from_rgb(image, self._conversion, self._pixels.format, self._scaler)

    def _add_stream(self, encoder: Encoder) -> VideoStream:
        picture = self._source.picture
        down, right = self._padding
        added = self._container.add_stream(
            encoder.name,
            rate=self._source.index.rate,
            options=encoder.options,
            width=picture.width + right,
            height=picture.height + down,
        )
        stream = cast(VideoStream, added)
        context = stream.codec_context
        context.thread_count = encoder.threads
        context.pix_fmt = self._pixels.format
        stream.time_base = context.time_base = self._time_base
        context.color_primaries = self._tags.primaries
        context.color_trc = self._tags.transfer
        context.colorspace = self._tags.matrix
        context.color_range = ColorRange.JPEG if self._tags.full_range else ColorRange.MPEG
        if encoder.tag:
            context.codec_tag = encoder.tag
        if encoder.gop:
            context.gop_size = encoder.gop
        if picture.pixel_aspect:
            context.sample_aspect_ratio = picture.pixel_aspect
        return stream


def _padding(width: int, height: int, pixels: Pixels, options: EncodeOptions) -> tuple[int, int]:
    """Returns the lines and columns by which a picture grows to a size that its codec can state.

    Where chroma is halved, H.264 and HEVC state sizes, cropping included, in steps of two pixels only.
    """
    if not CODECS[options.codec].even_sizes:
        return 0, 0
    return (height % 2 if pixels.chroma == "420" else 0), (
        width % 2 if pixels.chroma in ("420", "422") else 0
    )
