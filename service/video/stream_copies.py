"""Copies sound and subtitle streams packet by packet, and hashes them so that copies can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeAlias

from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.stream import Stream

from service.video.adts import without_adts_header
from service.video.container import open_video
from service.video.timing import ticks

_KINDS = {"audio": "sound", "subtitle": "text"}

_NO_TEXT = b"\x00\x00"
"""A mov_text packet without characters."""

TimedPacket: TypeAlias = "tuple[float, int, Packet[Any]]"
"""Seconds, an order among packets of the same time, and the packet."""


@dataclass(frozen=True)
class CopiedStream:
    """A stream that was copied packet by packet."""

    kind: str
    """``audio`` or ``subtitle``."""
    codec: str
    packets: int
    sha256: str
    """Of the payloads, one after the other, in hex."""


class StreamCopy:
    """Moves the packets of one stream from the source to the result."""

    def __init__(self, original: Stream, output: Stream, codec: str) -> None:
        self.original = original
        self._output = output
        self._codec = codec
        self._packets = 0
        self._digest = hashlib.sha256()

    def wants(self, packet: Packet[Any]) -> bool:
        """Returns whether a packet has content.

        End-of-stream marks and empty packets have none, nor do the gaps between subtitles, which MP4 writes itself.
        """
        return packet.size > 0 and not (self._codec == "mov_text" and bytes(packet) == _NO_TEXT)

    def take(self, packet: Packet[Stream], origin: Fraction, order: int) -> TimedPacket:
        """Moves a packet to the output's clock, whose zero is ``origin`` seconds of the source's, and counts it."""
        self._packets += 1
        self._digest.update(without_adts_header(bytes(packet), self._codec))
        shift = ticks(origin, packet.time_base)
        if packet.pts is not None:
            packet.pts -= shift
        packet.dts = packet.pts if packet.dts is None else packet.dts - shift
        seconds = float((packet.dts or 0) * packet.time_base)
        packet.stream = self._output
        return seconds, -order, packet

    def summary(self) -> CopiedStream:
        """Returns what was copied so far."""
        return CopiedStream(self.original.type, self._codec, self._packets, self._digest.hexdigest())


def add_copies(
    original: InputContainer, output: OutputContainer, left_out: Mapping[int, str]
) -> dict[int, StreamCopy]:
    """Adds to ``output`` the sound and subtitle streams that are not ``left_out``; by stream index."""
    copies = {}
    for stream in (*original.streams.audio, *original.streams.subtitles):
        if stream.index in left_out:
            continue
        added = output.add_stream_from_template(stream, opaque=True)
        added.metadata.update(stream.metadata)
        added.disposition = stream.disposition
        copies[stream.index] = StreamCopy(stream, added, _codec(stream))
    return copies


def reasons_left_out(original: InputContainer, output: OutputContainer) -> dict[int, str]:
    """Returns a sentence for each stream that ``output`` cannot hold, by stream index."""
    copied = (*original.streams.audio, *original.streams.subtitles)
    others = (*original.streams.data, *original.streams.attachments)
    label = _label(output)
    return {
        stream.index: f"The {_KINDS[stream.type]} of stream {stream.index} ({_codec(stream)}) is left out: "
        f"{label} does not hold this codec."
        for stream in copied
        if _codec(stream) not in output.supported_codecs
    } | {
        stream.index: f"Stream {stream.index} ({stream.type}) is left out: only video, sound and subtitles are kept."
        for stream in others
    }


def read_copies(path: Path) -> tuple[CopiedStream, ...]:
    """Reads the sound and subtitle streams of a result, hashed as the source's were when they were copied."""
    with open_video(path) as container:
        streams = [*container.streams.audio, *container.streams.subtitles]
        copies = {stream.index: StreamCopy(stream, stream, _codec(stream)) for stream in streams}
        for packet in container.demux(streams) if streams else ():
            copy = copies[packet.stream.index]
            if copy.wants(packet):
                copy.take(packet, Fraction(0), 0)
        return tuple(copy.summary() for copy in copies.values())


def _label(output: OutputContainer) -> str:
    return {"matroska": "MKV", "webm": "WebM"}.get(output.format.name) or output.format.name.upper()


def _codec(stream: Stream) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"
