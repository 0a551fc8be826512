"""Encodes restored frames into a piece: a file of its own that can be joined to others by packet copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import cast

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from av.video.stream import VideoStream

from service.encoding.codecs import CODECS
from service.errors.pipeline import PipelineError
from service.types import EncodeOptions
from service.video.encoding.captions import CODECS as CAPTION_CODECS
from service.video.encoding.captions import with_captions
from service.video.encoding.encoders import Encoder, Pictures, software
from service.video.encoding.hardware import hardware
from service.video.encoding.layout import Layout
from service.video.encoding.pictures import Image, Original, PictureMaker
from service.video.headers.boxes import add_picture_boxes
from service.video.headers.light import light_boxes
from service.video.muxing import MUXERS, piece_container, piece_options
from service.video.source import PictureFormat, Source
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
        self._source, self._target, self._codec = source, target, options.codec
        self._captions: dict[int, bytes] = {}
        self._time_base = piece_time_base(source.index)
        self._scaler = VideoReformatter()
        self._maker = PictureMaker(source.picture, options)
        container = piece_container(options.codec, self._maker.layout.pixels.alpha)
        self._container = av.open(
            str(target), "w", format=MUXERS[container], options=piece_options(container, self._time_base)
        )
        self._encoder = _encoder(options, self._maker.layout, source.picture)
        self._stream = self._add_stream(self._encoder)

    def __enter__(self) -> PieceEncoder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._mux(self._stream.encode(None))
        except av.FFmpegError as failure:
            raise PipelineError(f"The piece cannot be written: {failure.strerror}.") from failure
        finally:
            self._container.close()
        if kind is None and self._container.format.name in ("mp4", "mov"):
            self._say_light()

    def write(
        self, image: Image, number: int, original: Original | None = None, captions: bytes = b""
    ) -> None:
        """Encodes ``image`` as the source's frame ``number``, with that frame's time.

        ``original``: the frame that it was made of, where ``needs_originals`` says so.
        ``captions``: what the source's frame carries, for codecs that can carry it. Raises PipelineError.
        """
        index = self._source.index
        frame = self._maker.picture(image, original)
        if self._encoder.pix_fmt:
            frame = self._scaler.reformat(frame, format=self._encoder.pix_fmt)
        self._tag(frame)
        frame.pts = result_pts(index, number)
        frame.time_base = self._time_base
        frame.duration = ticks(index.step(number) * index.time_base, self._time_base)
        try:
            if captions and self._codec in CAPTION_CODECS:
                self._captions[frame.pts] = captions
            self._mux(self._stream.encode(frame))
        except av.FFmpegError as failure:
            raise PipelineError(f"Frame {number} cannot be encoded: {failure.strerror}.") from failure

    def _mux(self, packets: Sequence[Packet[VideoStream]]) -> None:
        for packet in packets:
            captions = self._captions.pop(packet.pts, b"") if packet.pts is not None else b""
            self._container.mux(with_captions(packet, captions, self._codec) if captions else packet)

    def _tag(self, frame: VideoFrame) -> None:
        """Gives a frame the tags of the result: ProRes takes them from there."""
        tags = self._maker.layout.tags
        frame.color_primaries, frame.color_trc, frame.colorspace = tags.primaries, tags.transfer, tags.matrix
        frame.color_range = ColorRange.JPEG if tags.full_range else ColorRange.MPEG

    def _say_light(self) -> None:
        """Gives the file the light of HDR10, which FFmpeg then hands on; its encoders tell its muxers nothing of it."""
        light = self._source.picture.light
        try:
            if light:
                add_picture_boxes(self._target, light_boxes(light))
        except (ValueError, OSError) as failure:
            raise PipelineError("The light of HDR10 cannot be written into the piece.") from failure

    def _add_stream(self, encoder: Encoder) -> VideoStream:
        picture, layout = self._source.picture, self._maker.layout
        added = self._container.add_stream(
            encoder.name,
            rate=self._source.index.rate,
            options=encoder.options,
            width=layout.width,
            height=layout.height,
        )
        stream = cast(VideoStream, added)
        context = stream.codec_context
        context.thread_count = encoder.threads
        context.pix_fmt = encoder.pix_fmt or layout.pixels.format
        stream.time_base = context.time_base = self._time_base
        context.color_primaries = layout.tags.primaries
        context.color_trc = layout.tags.transfer
        context.colorspace = layout.tags.matrix
        context.color_range = ColorRange.JPEG if layout.tags.full_range else ColorRange.MPEG
        if encoder.tag:
            context.codec_tag = encoder.tag
        if encoder.gop:
            context.gop_size = encoder.gop
        if picture.pixel_aspect:
            context.sample_aspect_ratio = picture.pixel_aspect
        return stream


def _encoder(options: EncodeOptions, layout: Layout, picture: PictureFormat) -> Encoder:
    if options.encoder == "hardware":
        return hardware(options, layout.pixels)
    return software(options, Pictures(layout.pixels, picture.width, picture.height, picture.light))
