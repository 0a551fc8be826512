"""Copies streams packet by packet, and hashes them so that copies can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.audio.codeccontext import AudioCodecContext
from av.packet import Packet
from av.stream import Stream

from service.video.container import open_video, packets_of, video_stream
from service.video.packets.opus import OpusClock, mark_filling
from service.video.packets.sanity import sanity_check
from service.video.tracks.naming import codec_name
from service.video.tracks.payloads import normalized

_STRICT = ("mp4", "mov")
"""Muxers that refuse a packet with the time of the one before it."""
_NO_TEXT = b"\x00\x00"
"""A mov_text packet without characters."""


@dataclass(frozen=True)
class CopiedStream:
    """A stream that was copied packet by packet."""

    kind: str
    """``audio``, ``subtitle``, ``video`` or ``data``."""
    codec: str
    packets: int
    sha256: str
    """Of the payloads, one after the other, in hex."""


class PacketDigest:
    """Counts and hashes the payloads of a stream as every container stores them."""

    def __init__(self, stream: Stream) -> None:
        self._kind = stream.type  # kept, because a stream is gone with its file
        self._codec = codec_name(stream)
        self._packets = 0
        self._digest = hashlib.sha256()

    def wants(self, packet: Packet[Any]) -> bool:
        """Returns whether a packet has content.

        End-of-stream marks and empty packets have none, nor do the gaps between subtitles, which MP4 writes itself.
        """
        return packet.size > 0 and not (self._codec == "mov_text" and bytes(packet) == _NO_TEXT)

    def add(self, packet: Packet[Any]) -> None:
        self._packets += 1
        self._digest.update(normalized(bytes(packet), self._codec))

    def summary(self) -> CopiedStream:
        """Returns what was added so far."""
        return CopiedStream(self._kind, self._codec, self._packets, self._digest.hexdigest())


class StreamCopy:
    """Moves the packets of one stream from the source to the result."""

    def __init__(self, original: Stream, output: Stream) -> None:
        self._output = output
        self._digest = PacketDigest(original)
        codec = original.codec_context
        self._is_sane = sanity_check(codec) if codec is not None and original.type == "audio" else None
        strict = output.container.format.name in _STRICT
        self._rate = codec.sample_rate if strict and isinstance(codec, AudioCodecContext) else None
        self._opus = None
        if strict and isinstance(codec, AudioCodecContext) and codec_name(original) == "opus":
            self._opus = OpusClock(codec, "matroska" in original.container.format.name)
        self._fills = not strict and codec_name(original) == "opus" and _is_mp4(original)
        self._last_written: int | None = None
        self._last_step: int | None = None
        self._last_dts: int | None = None

    def take(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        """Yields the packet on the result's clock, whose zero is ``shift`` seconds of the source's; counts it."""
        if not self._digest.wants(packet):
            return
        if self._is_sane is not None and not self._is_sane(bytes(packet)):
            return  # no muxer takes it; the index has counted it
        self._digest.add(packet)
        ticks = round(shift / packet.time_base)
        if packet.pts is not None:
            packet.pts -= ticks
        packet.dts = packet.pts if packet.dts is None else packet.dts - ticks
        self._complete_duration(packet)
        if self._opus is not None:
            self._opus.place(packet)
        if self._fills:
            mark_filling(packet)
        if self._rate:
            self._in_order(packet, self._rate)
        packet.stream = self._output
        yield packet

    def finish(self) -> Iterator[Packet[Any]]:
        """Yields nothing: a copy holds no packet back."""
        yield from ()

    def summary(self) -> CopiedStream:
        """Returns what was copied so far."""
        return self._digest.summary()

    def _in_order(self, packet: Packet[Any], rate: int) -> None:
        """Counts in samples, which are finer than the source's ticks may be, and lets no two packets have one time."""
        if packet.dts is None or packet.pts is None:
            return
        ticks = packet.time_base * rate
        if ticks > 1:
            packet.pts, packet.dts = round(packet.pts * ticks), round(packet.dts * ticks)
            packet.duration, packet.time_base = round((packet.duration or 0) * ticks), Fraction(1, rate)
        if self._last_written is not None and packet.dts <= self._last_written:
            packet.dts = self._last_written + 1
            packet.pts = max(packet.pts, packet.dts)
        self._last_written = packet.dts

    def _complete_duration(self, packet: Packet[Any]) -> None:
        """Gives the last packet of sound the duration of those before it, where the source names none."""
        if packet.dts is None or self._output.type != "audio":
            return
        if self._last_dts is not None and packet.dts > self._last_dts:
            self._last_step = packet.dts - self._last_dts
        self._last_dts = packet.dts
        if not packet.duration and self._last_step is not None:
            packet.duration = self._last_step


def _is_mp4(stream: Stream) -> bool:
    return "mp4" in stream.container.format.name.split(",")


def read_copies(path: Path) -> tuple[CopiedStream, ...]:
    """Reads the streams of a file beside its video, hashed as they are when they are copied."""
    with open_video(path) as container:
        restored = video_stream(container).index
        streams = [
            stream for stream in container.streams if stream.index != restored and stream.type != "attachment"
        ]
        digests = {stream.index: PacketDigest(stream) for stream in streams}
        for packet in packets_of(container, *streams) if streams else ():
            digest = digests[packet.stream.index]
            if digest.wants(packet):
                digest.add(packet)
        return tuple(digest.summary() for digest in digests.values())
