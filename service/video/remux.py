"""Joining pieces by packet copy, with the sound, subtitles, chapters and metadata of the source."""

from __future__ import annotations

import hashlib
import heapq
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import av
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from service.errors.pipeline import PipelineError
from service.video.adts import without_adts_header
from service.video.container import open_video
from service.video.encode import piece_time_base, timescale_options
from service.video.source import Source

if TYPE_CHECKING:
    from av.container.core import Chapter  # exists in the type stubs only

_MUXER_KEYS = frozenset({"major_brand", "minor_version", "compatible_brands", "encoder"})
"""Metadata that describes the source file itself rather than its content."""

_NO_TEXT = b"\x00\x00"
"""A mov_text packet of no characters."""

_Timed: TypeAlias = "tuple[float, int, Packet[Any]]"


@dataclass(frozen=True)
class CopiedStream:
    """A stream copied packet by packet."""

    kind: str
    codec: str
    packets: int
    sha256: str
    """Of the payloads, one after the other."""


@dataclass(frozen=True)
class Joined:
    """What a join wrote, and what it had to leave out, in sentences."""

    frames: int
    copied: tuple[CopiedStream, ...]
    dropped: tuple[str, ...]


def join(source: Source, pieces: Sequence[Path], target: Path, frames: int | None = None) -> Joined:
    """Write ``target``, an MP4 with its index in front, from ``pieces`` in order. The caller publishes it.

    ``frames``: how many the pieces hold if they are only the beginning; sound and all else then end with them.

    Raises PipelineError when pieces do not fit together or cannot be written.
    """
    options = {"movflags": "+faststart", **timescale_options(piece_time_base(source))}
    try:
        with ExitStack() as stack:
            original = stack.enter_context(open_video(source.path))
            first = stack.enter_context(av.open(str(pieces[0]), "r"))
            output = stack.enter_context(av.open(str(target), "w", format="mp4", options=options))
            return _Join(source, original, output, first.streams.video[0], frames).run(pieces)
    except (av.FFmpegError, ValueError) as error:
        raise PipelineError(f"The pieces cannot be joined: {error}.") from error


class _Join:
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
        self._extradata = template.codec_context.extradata
        self._end = _end_of(source, frames)
        self._frames = 0
        self._dropped: list[str] = []
        self._copies: dict[int, _Copy] = {}

    def run(self, pieces: Sequence[Path]) -> Joined:
        self._describe_video()
        self._add_copies()
        self._add_metadata()
        for _, _, packet in heapq.merge(self._video_packets(pieces), self._copied_packets()):
            self._output.mux(packet)
        return Joined(
            self._frames, tuple(copy.summary() for copy in self._copies.values()), tuple(self._dropped)
        )

    def _describe_video(self) -> None:
        if self._source.picture.display_matrix is not None:
            self._video.set_display_matrix(self._source.picture.display_matrix)

    def _add_copies(self) -> None:
        left_out = _left_out(self._original, self._output)
        self._dropped += left_out.values()
        for stream in (*self._original.streams.audio, *self._original.streams.subtitles):
            if stream.index in left_out:
                continue
            copy = self._output.add_stream_from_template(stream, opaque=True)
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition
            self._copies[stream.index] = _Copy(stream, copy, _codec(stream))

    def _add_metadata(self) -> None:
        kept = {key: value for key, value in self._original.metadata.items() if key not in _MUXER_KEYS}
        self._output.metadata.update(kept)
        chapters = [self._shifted(chapter) for chapter in self._original.chapters()]
        kept_chapters = [chapter for chapter in chapters if chapter["start"] < chapter["end"]]
        if kept_chapters:
            self._output.set_chapters(kept_chapters)

    def _shifted(self, chapter: Chapter) -> Chapter:
        time_base = chapter["time_base"] or Fraction(1, av.time_base)
        shift = _ticks(self._origin, time_base)
        last = chapter["end"] if self._end is None else min(chapter["end"], _ticks(self._end, time_base))
        return {**chapter, "start": max(chapter["start"] - shift, 0), "end": max(last - shift, 0)}

    @property
    def _origin(self) -> Fraction:
        return self._source.index.origin * self._source.index.time_base

    def _video_packets(self, pieces: Sequence[Path]) -> Iterator[_Timed]:
        for piece in pieces:
            with av.open(str(piece), "r") as container:
                stream = container.streams.video[0]
                if stream.codec_context.extradata != self._extradata:
                    raise PipelineError(
                        f"{piece.name} was encoded with other parameters than the piece before it."
                    )
                for packet in container.demux(stream):
                    if packet.size:
                        yield self._placed(packet)

    def _placed(self, packet: Packet[VideoStream]) -> _Timed:
        index = self._source.index
        if self._frames < index.frames:
            packet.duration = _ticks(index.step(self._frames) * index.time_base, packet.time_base)
        self._frames += 1
        seconds = float((packet.dts or 0) * packet.time_base)
        packet.stream = self._video
        return seconds, self._frames, packet

    def _copied_packets(self) -> Iterator[_Timed]:
        if not self._copies:
            return
        order = 0
        for packet in self._original.demux([copy.original for copy in self._copies.values()]):
            copy = self._copies[packet.stream.index]
            if copy.wants(packet) and not self._is_cut(packet):
                order += 1
                yield copy.take(packet, self._origin, order)

    def _is_cut(self, packet: Packet[Any]) -> bool:
        """Whether it belongs to what is cut off; packets are not in the order of their times in all files."""
        moment = packet.dts if packet.pts is None else packet.pts
        if moment is None:
            return False
        seconds = moment * packet.time_base
        early = self._source.index.skipped > 0 and seconds < self._origin
        return early or (self._end is not None and seconds >= self._end)


class _Copy:
    """One stream on its way from the source to the result."""

    def __init__(self, original: Stream, output: Stream, codec: str) -> None:
        self.original = original
        self._output = output
        self._codec = codec
        self._packets = 0
        self._digest = hashlib.sha256()

    def wants(self, packet: Packet[Any]) -> bool:
        """Not end-of-stream marks and empty packets, nor the gaps between subtitles, which MP4 writes itself."""
        return packet.size > 0 and not (self._codec == "mov_text" and bytes(packet) == _NO_TEXT)

    def take(self, packet: Packet[Stream], origin: Fraction, order: int) -> _Timed:
        self._packets += 1
        self._digest.update(without_adts_header(bytes(packet), self._codec))
        shift = _ticks(origin, packet.time_base)
        if packet.pts is not None:
            packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        seconds = float((packet.dts or 0) * packet.time_base)
        packet.stream = self._output
        return seconds, -order, packet

    def summary(self) -> CopiedStream:
        return CopiedStream(self.original.type, self._codec, self._packets, self._digest.hexdigest())


def streams_left_out(path: Path) -> tuple[str, ...]:
    """A sentence for each stream of a video that ``join`` would not copy. Raises what ``open_video`` raises."""
    with open_video(path) as original, av.open(io.BytesIO(), "w", format="mp4") as output:
        return tuple(_left_out(original, output).values())


def _left_out(original: InputContainer, output: OutputContainer) -> dict[int, str]:
    """By stream index."""
    copied = (*original.streams.audio, *original.streams.subtitles)
    others = (*original.streams.data, *original.streams.attachments)
    return {
        stream.index: f"{stream.type} stream {stream.index} ({_codec(stream)}): MP4 does not hold this codec"
        for stream in copied
        if _codec(stream) not in output.supported_codecs
    } | {
        stream.index: f"{stream.type} stream {stream.index}: only video, sound and subtitles are kept"
        for stream in others
    }


def _codec(stream: Stream) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"


def read_copies(path: Path) -> tuple[CopiedStream, ...]:
    """The sound and subtitle streams of a result, hashed as ``join`` hashed the source's."""
    with open_video(path) as container:
        streams = [*container.streams.audio, *container.streams.subtitles]
        copies = {
            stream.index: _Copy(stream, stream, stream.codec_context.codec.canonical_name)
            for stream in streams
        }
        for packet in container.demux(streams) if streams else ():
            copy = copies[packet.stream.index]
            if copy.wants(packet):
                copy.take(packet, Fraction(0), 0)
        return tuple(copy.summary() for copy in copies.values())


def _end_of(source: Source, frames: int | None) -> Fraction | None:
    """When the frame after the first ``frames`` is shown, by the source's clock; None where nothing is cut off."""
    index = source.index
    tick = index.end if frames is None or frames >= index.frames else index.pts[frames]
    return None if tick is None else tick * index.time_base


def _ticks(seconds: Fraction, time_base: Fraction) -> int:
    return round(seconds / time_base)
