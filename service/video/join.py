"""Joins pieces by packet copy, with the sound, subtitles, chapters and metadata of the source."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from service.errors.pipeline import PipelineError
from service.video.container import open_video
from service.video.muxing import MUXERS, result_options
from service.video.source import Source
from service.video.stream_copies import CopiedStream, TimedPacket, add_copies, reasons_left_out
from service.video.timing import piece_time_base, ticks

if TYPE_CHECKING:
    from av.container.core import Chapter  # exists in the type stubs only

_MUXER_KEYS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})
"""Metadata of the source file itself, not of its content."""


@dataclass(frozen=True)
class JoinSummary:
    """What a join wrote."""

    frames: int
    copied: tuple[CopiedStream, ...]


def join(
    source: Source, pieces: Sequence[Path], target: Path, container: str = "mp4", frames: int | None = None
) -> JoinSummary:
    """Writes ``target``, a file with its index in front, from ``pieces`` in order.

    ``container``: as in the options of jobs.
    ``frames``: how many the pieces hold if they are only the beginning; sound and all else then end with them.
    Raises PipelineError when pieces do not fit together or cannot be written.
    """
    options = result_options(container, piece_time_base(source.index))
    try:
        with ExitStack() as stack:
            original = stack.enter_context(open_video(source.path))
            first = stack.enter_context(av.open(str(pieces[0]), "r"))
            output = stack.enter_context(av.open(str(target), "w", format=MUXERS[container], options=options))
            return _Joiner(source, original, output, first.streams.video[0], frames).run(pieces)
    except (av.FFmpegError, ValueError) as error:
        raise PipelineError(f"The pieces cannot be joined: {error}.") from error


class _Joiner:
    """Writes the result of one join."""

    def __init__(
        self,
        source: Source,
        original: InputContainer,
        output: OutputContainer,
        template: VideoStream,
        frames: int | None,
    ) -> None:
        self._source = source
        self._original = original
        self._output = output
        self._video = output.add_stream_from_template(template, opaque=True)
        self._template = template
        self._end = _end_of(source, frames)
        self._frames = 0
        left_out = reasons_left_out(original, output)
        self._copies = add_copies(original, output, left_out)

    def run(self, pieces: Sequence[Path]) -> JoinSummary:
        self._describe_video()
        self._add_metadata()
        for _, _, packet in heapq.merge(self._video_packets(pieces), self._copied_packets()):
            self._output.mux(packet)
        copied = tuple(copy.summary() for copy in self._copies.values())
        return JoinSummary(self._frames, copied)

    def _describe_video(self) -> None:
        template, context = self._template.codec_context, self._video.codec_context
        if self._output.format.name in ("mp4", "mov"):
            context.codec_tag = template.codec_tag  # hvc1 rather than hev1, and the kind of ProRes
        context.framerate = self._source.index.rate
        if self._source.picture.pixel_aspect:
            context.sample_aspect_ratio = self._source.picture.pixel_aspect
        if self._source.picture.display_matrix is not None:
            self._video.set_display_matrix(self._source.picture.display_matrix)

    def _add_metadata(self) -> None:
        kept = {key: value for key, value in self._original.metadata.items() if key not in _MUXER_KEYS}
        self._output.metadata.update(kept)
        chapters = [self._shifted(chapter) for chapter in self._original.chapters()]
        kept_chapters = [chapter for chapter in chapters if chapter["start"] < chapter["end"]]
        if kept_chapters:
            self._output.set_chapters(kept_chapters)

    def _shifted(self, chapter: Chapter) -> Chapter:
        time_base = chapter["time_base"] or Fraction(1, av.time_base)
        shift = ticks(self._origin, time_base)
        last = chapter["end"] if self._end is None else min(chapter["end"], ticks(self._end, time_base))
        return {**chapter, "start": max(chapter["start"] - shift, 0), "end": max(last - shift, 0)}

    @property
    def _origin(self) -> Fraction:
        """The time of the source that is zero in the result, in seconds."""
        return self._source.index.origin * self._source.index.time_base

    def _video_packets(self, pieces: Sequence[Path]) -> Iterator[TimedPacket]:
        for piece in pieces:
            with av.open(str(piece), "r") as container:
                stream = container.streams.video[0]
                if stream.codec_context.extradata != self._template.codec_context.extradata:
                    raise PipelineError(
                        f"{piece.name} was encoded with other parameters than the piece before it."
                    )
                for packet in container.demux(stream):
                    if packet.size:
                        yield self._with_duration(packet)

    def _with_duration(self, packet: Packet[VideoStream]) -> TimedPacket:
        index = self._source.index
        if self._frames < index.frames:
            packet.duration = ticks(index.step(self._frames) * index.time_base, packet.time_base)
        self._frames += 1
        seconds = float((packet.dts or 0) * packet.time_base)
        packet.stream = self._video
        return seconds, self._frames, packet

    def _copied_packets(self) -> Iterator[TimedPacket]:
        if not self._copies:
            return
        order, clock = 0, self._source.timeline.reader()
        for packet in self._original.demux([copy.original for copy in self._copies.values()]):
            copy = self._copies[packet.stream.index]
            clock.place(packet)
            if copy.wants(packet) and not self._is_cut(packet):
                order += 1
                yield copy.take(packet, self._origin, order)

    def _is_cut(self, packet: Packet[Any]) -> bool:
        """Returns whether a packet lies outside the frames that are kept.

        All packets are looked at, because not all files have them in the order of their times.
        """
        moment = packet.dts if packet.pts is None else packet.pts
        if moment is None:
            return False
        seconds = moment * packet.time_base
        early = self._source.index.skipped > 0 and seconds < self._origin
        return early or (self._end is not None and seconds >= self._end)


def _end_of(source: Source, frames: int | None) -> Fraction | None:
    """Returns when the frame after the first ``frames`` appears, in seconds of the source's clock.

    None where nothing is cut off at the end.
    """
    index = source.index
    tick = index.end if frames is None or frames >= index.frames else index.pts[frames]
    return None if tick is None else tick * index.time_base
