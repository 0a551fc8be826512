"""Compares the sound of two files: packet by packet, else sample by sample, else by its length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from service.findings import Code, Finding, Kind
from service.text import plural
from service.video.container import open_video, packets_of
from service.video.source import Source
from service.video.tracks.copying import PacketDigest
from service.video.tracks.transcoding import planar

_OUT_OF_STEP_S = Fraction(1, 50)
_LEAD_IN_S = Fraction(1, 20)
"""Encoders begin earlier by less than this, with silence, where sound that comes late leaves them room."""
_PADDING_S = 0.1
"""Encoders that need whole blocks make sound longer by less than this."""


@dataclass(frozen=True)
class Sound:
    """One stream of sound as it is decoded."""

    stream: int
    codec: str
    language: str
    packets: str
    """SHA-256 of the packets, in hex."""
    samples: str
    """SHA-256 of the samples as 32-bit numbers, in hex."""
    seconds: float
    offset: Fraction
    """Seconds by which it begins later than the picture."""
    broken: int = 0
    """Packets that do not decode."""

    @property
    def name(self) -> str:
        return f"Sound of stream {self.stream} ({self.codec})"


def read_sounds(source: Source) -> list[Sound]:
    """Returns the sound of a file, stream by stream."""
    with open_video(source.path) as container:
        indexes = [stream.index for stream in container.streams.audio]
    return [_read(source, index) for index in indexes]


def sound_findings(given: Sequence[Sound], result: Sequence[Sound]) -> Iterator[Finding]:
    """Yields what became of each stream. Streams with the same packets or samples belong together, then in order."""
    left = list(result)
    for one in given:
        match = _match(one, left)
        if match is None:
            yield Finding(Kind.LOST, Code.SOUND, f"{one.name} is missing.", one.stream)
            continue
        left.remove(match)
        compared = _compared(one, match)
        yield compared
        early = _LEAD_IN_S if compared.kind is Kind.CHANGED else _OUT_OF_STEP_S
        if not -early <= match.offset - one.offset <= _OUT_OF_STEP_S:
            late = float(match.offset - one.offset) * 1000
            text = f"{one.name} is {late:+.0f} ms from its place beside the picture."
            yield Finding(Kind.LOST, Code.CLOCK, text, one.stream)


def _match(one: Sound, left: Sequence[Sound]) -> Sound | None:
    same = [each for each in left if one.packets == each.packets or one.samples == each.samples]
    spoken = [each for each in left if each.language == one.language]
    return next(iter([*same, *spoken, *left]), None)


def _compared(one: Sound, two: Sound) -> Finding:
    if two.broken > one.broken:
        verb = "does" if two.broken == 1 else "do"
        text = f"{one.name}: {plural(two.broken, 'packet')} of the result {verb} not decode."
        return Finding(Kind.LOST, Code.SOUND, text, one.stream)
    if one.packets == two.packets:
        return Finding(Kind.KEPT, Code.SOUND, f"{one.name}: the same packets.", one.stream)
    if one.samples == two.samples:
        return Finding(Kind.KEPT, Code.SOUND, f"{one.name}: the same samples in {two.codec}.", one.stream)
    if two.seconds < one.seconds - _PADDING_S:
        text = f"{one.name}: {two.seconds:.3f} s of {one.seconds:.3f} s."
        return Finding(Kind.LOST, Code.SOUND, text, one.stream)
    return Finding(Kind.CHANGED, Code.SOUND, f"{one.name}: coded anew as {two.codec}.", one.stream)


def _read(source: Source, index: int) -> Sound:
    samples, count = hashlib.sha256(), 0
    with open_video(source.path) as container:
        stream = container.streams[index]
        assert isinstance(stream, AudioStream)
        packets, first, broken = PacketDigest(stream), None, 0
        for packet in packets_of(container, stream):
            if packets.wants(packet):
                packets.add(packet)
            elif packet.dts is not None:
                continue  # an empty packet, after which the decoder would take no other
            frames = _decoded(stream, packet)
            broken += frames is None
            for frame in frames or ():
                first = _time(frame) if first is None else first
                samples.update(_wide(frame))
                count += frame.samples
        begin = source.index.pts[0] * source.index.time_base
        begin += source.timeline.clock(index).shift(0) * (stream.time_base or 0)
        return Sound(
            index,
            packets.summary().codec,
            stream.language or "",
            packets.summary().sha256,
            samples.hexdigest(),
            count / stream.codec_context.sample_rate,
            (first or Fraction(0)) - begin,
            broken,
        )


def _decoded(stream: AudioStream, packet: Packet[AudioStream]) -> list[AudioFrame] | None:
    """Returns the frames of a packet; None where it does not decode."""
    try:
        return stream.decode(packet)
    except av.FFmpegError:
        return None


def _time(frame: AudioFrame) -> Fraction:
    return Fraction(0) if frame.pts is None or frame.time_base is None else frame.pts * frame.time_base


def _wide(frame: AudioFrame) -> bytes:
    """Returns the samples as 32-bit numbers, so that the same sound in 8, 16 and 24 bits is equal."""
    samples = planar(frame).T
    if samples.dtype == np.uint8:
        samples = samples.astype(np.int32) - 128 << 24
    elif samples.dtype == np.int16:
        samples = samples.astype(np.int32) << 16
    return np.ascontiguousarray(samples).tobytes()
