"""Times of Opus in samples (RFC 6716, RFC 7845), which Matroska rounds to milliseconds."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from functools import lru_cache
from typing import Any

from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.codec.context import CodecContext
from av.packet import Packet, PacketSideData

RATE = 48_000
"""Samples per second by which Opus counts, whatever was recorded."""
_SILK, _HYBRID, _CELT = (480, 960, 1920, 2880), (480, 960), (120, 240, 480, 960)
_ROUNDING = 2 * RATE // 1000
"""Samples that a time may be off by rounding: twice a millisecond."""


class OpusClock:
    """Gives the packets of one stream times that go on sample by sample, as they did before they were rounded."""

    def __init__(self, codec: AudioCodecContext, is_matroska: bool) -> None:
        head = bytes(codec.extradata or b"")
        self._before = int.from_bytes(head[10:12], "little") if head[:8] == b"OpusHead" else 0
        """Samples at the beginning that are not played. FFmpeg subtracts them from the times of Matroska."""
        self._is_matroska = is_matroska
        self._next: int | None = None

    def place(self, packet: Packet[Any]) -> None:
        """Sets times and duration of a packet whose times are in samples, or in ticks that are longer, to samples."""
        samples = opus_samples(bytes(packet))
        if packet.pts is None or not samples:
            return
        ticks = packet.time_base * RATE
        begin = round(packet.pts * ticks)
        if self._is_matroska:
            begin += round(_rounded(self._before / ticks) * ticks) - self._before
        if self._next is not None and abs(begin - self._next) <= _ROUNDING:
            begin = self._next
        self._next = begin + samples
        packet.pts = packet.dts = begin
        played = max(samples - _unplayed(packet), 0)
        if packet.duration and ticks <= 1:
            played = min(played, round(packet.duration * ticks))
        packet.duration, packet.time_base = played, Fraction(1, RATE)


def mark_filling(packet: Packet[Any]) -> None:
    """Says how many samples fill a packet of MP4 up, where it lasts shorter than what it holds.

    MP4 says that by the duration; Matroska needs to be told.
    """
    samples, played = opus_samples(bytes(packet)), round((packet.duration or 0) * packet.time_base * RATE)
    if 0 < played < samples:
        mark = PacketSideData.from_packet(_filled_packet(), "skip_samples")
        mark.update(struct.pack("<IIBB", 0, samples - played, 0, 0))
        mark.to_packet(packet)


@lru_cache(maxsize=1)
def _filled_packet() -> Packet[Any]:
    """Returns a packet that says how much of it is filling: PyAV makes no such mark by itself."""
    encoder = CodecContext.create("libopus", "w")
    assert isinstance(encoder, AudioCodecContext)
    encoder.sample_rate, encoder.format, encoder.layout = RATE, "flt", "mono"
    frame = AudioFrame("flt", "mono", samples=1)
    frame.sample_rate, frame.pts = RATE, 0
    return [*encoder.encode(frame), *encoder.encode(None)][-1]


def opus_samples(packet: bytes) -> int:
    """Returns how many samples a packet holds at 48 kHz; 0 where its header is damaged."""
    if not packet:
        return 0
    kind, frames = packet[0] >> 3, (1, 2, 2, 0)[packet[0] & 3]
    if packet[0] & 3 == 3:
        frames = packet[1] & 63 if len(packet) > 1 else 0
    if kind < 12:
        return frames * _SILK[kind & 3]
    return frames * (_HYBRID[kind & 1] if kind < 16 else _CELT[kind & 3])


def _unplayed(packet: Packet[Any]) -> int:
    """Returns the samples at a packet's end that are there to fill it."""
    if not packet.has_sidedata("skip_samples"):
        return 0
    return int.from_bytes(bytes(packet.get_sidedata("skip_samples"))[4:8], "little")


def _rounded(value: Fraction) -> int:
    """Rounds halves up, as FFmpeg does."""
    return math.floor(value + Fraction(1, 2))
