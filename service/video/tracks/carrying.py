"""Carries the streams beside the picture from the source to the result, each as its plan says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import AttachmentStream, Disposition, Stream

from service.video.container import open_video, packets_of
from service.video.timeline import Timeline
from service.video.tracks.copying import CopiedStream, StreamCopy
from service.video.tracks.naming import title_of
from service.video.tracks.plan import TrackPlan, Way, text_codec
from service.video.tracks.tags import stream_tags
from service.video.tracks.text import MILLISECONDS, TextConverter
from service.video.tracks.transcoding import CodedSound, SoundTranscoder
from service.video.tracks.trial import add_copy
from service.video.tracks.writing import written

_LEAD_S = 1
"""Seconds of sound before an excerpt that its decoder gets to find into the stream."""
_COVER_TYPES = {"png": ("cover.png", "image/png"), "mjpeg": ("cover.jpg", "image/jpeg")}


@dataclass(frozen=True)
class Cut:
    """The part of the source's clock that a result is of. Times are in seconds of that clock."""

    origin: Fraction
    """What is zero in the result."""
    end: Fraction | None = None
    """None is the end of the file."""
    skipped: int = 0
    """Frames that an excerpt leaves out at the beginning."""
    rate: Fraction = Fraction(25)
    """Frames per second."""

    def leaves_out(self, packet: Packet[Any]) -> bool:
        """Returns whether a packet lies outside. All have to be asked: not all files have them in order of time."""
        seconds = _seconds(packet)
        if seconds is None:
            return False
        early = self.skipped > 0 and seconds < self.origin
        return early or (self.end is not None and seconds >= self.end)

    def is_far(self, packet: Packet[Any]) -> bool:
        """Returns whether a packet lies so far outside that a decoder does without it."""
        seconds = _seconds(packet)
        if seconds is None:
            return False
        early = self.skipped > 0 and seconds < self.origin - _LEAD_S
        return early or (self.end is not None and seconds >= self.end)


@dataclass(frozen=True)
class CarriedFile:
    """A source, and the clock of its packets."""

    path: Path
    container: InputContainer
    timeline: Timeline


class Carrier(Protocol):
    """Takes the packets of one stream to the result's clock."""

    def take(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        """Yields what is to be written for a packet; the result's zero is at ``shift`` seconds of the source."""
        ...

    def finish(self) -> Iterator[Packet[Any]]:
        """Yields what is left after the last packet."""
        ...


class Carriers:
    """All streams of a result beside its picture."""

    def __init__(
        self,
        file: CarriedFile,
        output: OutputContainer,
        plans: Sequence[TrackPlan],
        cut: Cut,
        container: str,
    ) -> None:
        self._path, self._original = file.path, file.container
        self._output, self._cut, self._container = output, cut, container
        self._clock = file.timeline.reader()
        self._carriers: dict[int, Carrier] = {}
        for plan in plans:
            stream = self._original.streams[plan.stream]
            with written(title_of(stream)):
                self._add(stream, plan)

    def packets(self) -> Iterator[Packet[Any]]:
        """Yields the packets of all streams, as the source has them mixed."""
        if not self._carriers:
            return
        streams = [self._original.streams[index] for index in self._carriers]
        for packet in packets_of(self._original, *streams):
            self._clock.place(packet)
            carrier = self._carriers[packet.stream.index]
            far = self._cut.leaves_out if isinstance(carrier, StreamCopy) else self._cut.is_far
            if packet.size and not far(packet):
                yield from carrier.take(packet, self._cut.origin)
        for carrier in self._carriers.values():
            yield from carrier.finish()

    def copied(self) -> tuple[CopiedStream, ...]:
        """Returns what was copied packet by packet."""
        copies = (each for each in self._carriers.values() if isinstance(each, StreamCopy))
        return tuple(copy.summary() for copy in copies)

    def coded(self) -> tuple[CodedSound, ...]:
        """Returns the sound that was coded anew."""
        transcoders = (each for each in self._carriers.values() if isinstance(each, SoundTranscoder))
        return tuple(transcoder.summary() for transcoder in transcoders)

    def _add(self, stream: Stream, plan: TrackPlan) -> None:
        if plan.way is Way.COPY:
            added = add_copy(self._output, stream, plan.layout)
            self._carriers[stream.index] = StreamCopy(stream, added)
        elif plan.way is Way.CODE:
            added = self._add_sound(stream, plan)
        elif plan.way is Way.TEXT:
            codec = text_codec(self._container)
            added = self._output.add_mux_stream(codec, time_base=MILLISECONDS)
            self._carriers[stream.index] = TextConverter(stream, added, codec)
        else:
            self._attach(stream, plan)
            return
        added.metadata.update(stream_tags(stream.metadata))
        added.disposition = stream.disposition

    def _add_sound(self, stream: Stream, plan: TrackPlan) -> AudioStream:
        assert isinstance(stream, AudioStream)
        assert plan.coding is not None
        added = plan.coding.add_to(self._output)
        transcoder = SoundTranscoder(stream, added, plan.coding, plan.layout or plan.coding.layout)
        origin, end = self._cut.origin, self._cut.end
        transcoder.cut(Fraction(0) if self._cut.skipped else None, None if end is None else end - origin)
        self._carriers[stream.index] = transcoder
        return added

    def _attach(self, stream: Stream, plan: TrackPlan) -> None:
        if plan.way is not Way.ATTACH:
            return
        if isinstance(stream, AttachmentStream):
            kind = stream.mimetype or "application/octet-stream"
            self._output.add_attachment(stream.name or f"attachment-{stream.index}", kind, stream.data)
        elif stream.disposition & Disposition.attached_pic:
            name, kind = _COVER_TYPES.get(stream.codec_context.name, ("cover", "application/octet-stream"))
            self._output.add_attachment(name, kind, self._cover(stream.index))

    def _cover(self, index: int) -> bytes:
        """Reads a cover in a file of its own: to go back to the beginning of this one, a seek is not good enough.

        It goes to zero, and sound that begins before zero would be without its first packets.
        """
        with open_video(self._path) as again:
            return next(bytes(packet) for packet in packets_of(again, again.streams[index]) if packet.size)


def _seconds(packet: Packet[Any]) -> Fraction | None:
    moment = packet.dts if packet.pts is None else packet.pts
    return None if moment is None else moment * packet.time_base
