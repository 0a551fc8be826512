"""Tries whether a container takes a stream, by writing its header and its first packet into memory."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from service.video.channels import lists_channels
from service.video.container import open_video, packets_of
from service.video.muxing import MUXERS
from service.video.ranged import RangedFile
from service.video.tracks.coding import SoundCoding

_STAND_IN = {"mp4": "h264", "mov": "h264", "mkv": "vp8", "webm": "vp8"}
"""A video codec that each container takes without a header of its own."""
_COVER_SIDE = 64
"""Pixels."""
_PACKETS_LOOKED_AT = 4000
"""Streams whose first packet comes later than this are tried by their header alone."""
_REFUSED = (av.FFmpegError, ValueError)


@dataclass(frozen=True)
class Trial:
    """Tries streams of one source in one kind of container."""

    media: Path | RangedFile
    container: str

    @classmethod
    def of(cls, media: Path | RangedFile, container: str) -> Trial:
        return cls(media, container)

    def takes(self, stream: Stream, layout: str | None = None) -> bool:
        """Returns whether header and first packet of a stream can be written as they are."""
        try:
            with open_video(self.media) as original, self._output() as output:
                added = add_copy(output, original.streams[stream.index], layout)
                output.start_encoding()
                payload = self._first_packets.get(stream.index)
                if payload is not None:
                    _write(output, added, payload)
        except _REFUSED:
            return False
        return True

    def shows_cover(self, stream: Stream) -> bool:
        """Returns whether a cover is there again when the file is read; MOV's muxer drops it without a word."""
        picture = self._first_packets.get(stream.index)
        if picture is None:
            return False
        memory = io.BytesIO()
        try:
            with open_video(self.media) as original, self._output(memory) as output:
                added = add_copy(output, original.streams[stream.index], None)
                added.disposition = Disposition.attached_pic
                output.start_encoding()
                _write(output, added, picture)
            memory.seek(0)
            with av.open(memory) as written:
                return any(each.disposition & Disposition.attached_pic for each in written.streams)
        except _REFUSED:
            return False

    def encodes(self, coding: SoundCoding) -> bool:
        """Returns whether the encoder opens and the container takes its stream."""
        try:
            with self._output() as output:
                coding.add_to(output)
                output.start_encoding()
        except _REFUSED:
            return False
        return True

    def _output(self, memory: io.BytesIO | None = None) -> OutputContainer:
        output = av.open(memory or io.BytesIO(), "w", format=MUXERS[self.container])
        output.add_mux_stream(_STAND_IN[self.container], rate=25, width=64, height=64)
        return output

    @cached_property
    def _first_packets(self) -> Mapping[int, bytes]:
        with open_video(self.media) as original:
            return _first_packets(original)


def add_copy(output: OutputContainer, stream: Stream, layout: str | None) -> Stream:
    """Adds a stream that takes the packets of ``stream`` as they are. Raises ValueError and FFmpegError."""
    added = output.add_stream_from_template(stream, opaque=True)
    if isinstance(added, AudioStream) and layout is not None and not lists_channels(added.codec_context):
        added.codec_context.layout = layout
    if isinstance(added, VideoStream) and stream.disposition & Disposition.attached_pic:
        # Covers are not decoded when a file is opened, so nobody knows their size; players read it in the picture.
        added.codec_context.width = added.codec_context.width or _COVER_SIDE
        added.codec_context.height = added.codec_context.height or _COVER_SIDE
    return added


def _first_packets(original: InputContainer) -> dict[int, bytes]:
    wanted = {stream.index for stream in original.streams if stream.type != "attachment"}
    found: dict[int, bytes] = {}
    for count, packet in enumerate(packets_of(original)):
        if packet.size:
            found.setdefault(packet.stream.index, bytes(packet))
        if count > _PACKETS_LOOKED_AT or len(found) == len(wanted):
            break
    return found


def _write(output: OutputContainer, stream: Stream, payload: bytes) -> None:
    packet = av.Packet(payload)
    packet.stream = stream
    packet.pts = packet.dts = 0
    packet.time_base = stream.time_base or Fraction(1, 1000)
    packet.duration = 1
    packet.is_keyframe = True
    output.mux(packet)
