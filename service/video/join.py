"""Joins pieces by packet copy, with everything beside the picture that the source has and the container holds."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from service.errors.pipeline import PipelineError
from service.types import EncodeOptions
from service.video.container import open_video, packets_of
from service.video.headers.boxes import add_picture_boxes, source_boxes
from service.video.headers.ebml import set_pixel_aspect
from service.video.muxing import MUXERS, result_options
from service.video.source import Source
from service.video.timing import piece_time_base, ticks
from service.video.tracks.carrying import CarriedFile, Carriers, Cut
from service.video.tracks.copying import CopiedStream
from service.video.tracks.describing import describe_file, describe_video, muxer_flags
from service.video.tracks.plan import TrackPlan, plan_tracks
from service.video.tracks.transcoding import CodedSound
from service.video.tracks.writing import written

_Timed = tuple[float, int, "Packet[Any]"]
"""Seconds, an order among packets of the same time, and the packet."""


@dataclass(frozen=True)
class JoinSummary:
    """What a join wrote."""

    frames: int
    copied: tuple[CopiedStream, ...]
    coded: tuple[CodedSound, ...]


def join(
    source: Source, pieces: Sequence[Path], target: Path, options: EncodeOptions, frames: int | None = None
) -> JoinSummary:
    """Writes ``target``, a file with its index in front, from ``pieces`` in order.

    ``frames``: how many the pieces hold if they are only the beginning; sound and all else then end with them.
    Raises PipelineError when pieces do not fit together, or naming the stream that cannot be written.
    """
    container = options.container
    plans = plan_tracks(source.path, container, options.sound)
    try:
        with ExitStack() as stack:
            original = stack.enter_context(open_video(source.path))
            muxing = muxer_flags(
                original, container, result_options(container, piece_time_base(source.index))
            )
            first = stack.enter_context(av.open(str(pieces[0]), "r"))
            output = stack.enter_context(av.open(str(target), "w", format=MUXERS[container], options=muxing))
            joiner = _Joiner(source, original, output, first.streams.video[0], _cut(source, frames))
            size = (joiner.width, joiner.height)
            carriers = joiner.run(pieces, plans, container)
    except (av.FFmpegError, ValueError) as error:
        raise PipelineError(f"The pieces cannot be joined: {_reason(error)}.") from error
    _say_how_to_show(source, target, container, size)
    return JoinSummary(joiner.frames, carriers.copied(), carriers.coded())


class _Joiner:
    """Writes the result of one join."""

    def __init__(
        self,
        source: Source,
        original: InputContainer,
        output: OutputContainer,
        template: VideoStream,
        cut: Cut,
    ) -> None:
        self._source, self._original, self._output, self._cut = source, original, output, cut
        self._video = output.add_stream_from_template(template, opaque=True)
        self._template = template
        self.width, self.height = template.codec_context.width, template.codec_context.height
        self.frames = 0

    def run(self, pieces: Sequence[Path], plans: Sequence[TrackPlan], container: str) -> Carriers:
        describe_video(self._video, self._template, self._source, self._original)
        describe_file(self._output, self._original, self._cut)
        carriers = Carriers(
            CarriedFile(self._source.path, self._original, self._source.timeline),
            self._output,
            plans,
            self._cut,
            container,
        )
        with written("The header"):
            self._output.start_encoding()
        for _, _, packet in heapq.merge(self._video_packets(pieces), self._carried(carriers)):
            with written(f"A packet of {packet.stream.type} stream {packet.stream.index} of the result"):
                self._output.mux(packet)
        with written("The end of the result"):
            self._output.close()
        return carriers

    def _video_packets(self, pieces: Sequence[Path]) -> Iterator[_Timed]:
        for piece in pieces:
            with av.open(str(piece), "r") as container:
                stream = container.streams.video[0]
                if stream.codec_context.extradata != self._template.codec_context.extradata:
                    raise PipelineError(
                        f"{piece.name} was encoded with other parameters than the piece before it."
                    )
                for packet in packets_of(container, stream):
                    if packet.size:
                        yield self._with_duration(packet)

    def _with_duration(self, packet: Packet[VideoStream]) -> _Timed:
        index = self._source.index
        if self.frames < index.frames:
            packet.duration = ticks(index.step(self.frames) * index.time_base, packet.time_base)
        self.frames += 1
        seconds = float((packet.dts or 0) * packet.time_base)
        packet.stream = self._video
        return seconds, self.frames, packet

    def _carried(self, carriers: Carriers) -> Iterator[_Timed]:
        for order, packet in enumerate(carriers.packets(), 1):
            yield float((packet.dts or 0) * packet.time_base), -order, packet


def _cut(source: Source, frames: int | None) -> Cut:
    """Returns the part of the source's clock that the result is of."""
    index = source.index
    end = index.end if frames is None or frames >= index.frames else index.pts[frames]
    return Cut(
        origin=index.origin * index.time_base,
        end=None if end is None else end * index.time_base,
        skipped=index.skipped,
        rate=index.rate,
    )


def _say_how_to_show(source: Source, target: Path, container: str, size: tuple[int, int]) -> None:
    """Writes what FFmpeg's muxers are not told of. ``size``: width and height of the result."""
    shape = source.picture.pixel_aspect
    boxes = source_boxes(source.path) if container in ("mp4", "mov") else {}
    try:
        if boxes:
            add_picture_boxes(target, boxes)
        if container in ("mkv", "webm") and shape is not None and shape != 1:
            set_pixel_aspect(target, shape, size)
    except (OSError, ValueError) as error:
        raise PipelineError("How the picture is meant to be seen cannot be written.") from error


def _reason(error: av.FFmpegError | ValueError) -> str:
    return str(error.strerror) if isinstance(error, av.FFmpegError) else str(error).rstrip(".")
