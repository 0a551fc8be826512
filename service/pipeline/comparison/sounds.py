"""Compares the sound of two files: packet by packet, else sample by sample, else by its length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from service.findings import Code, Finding, Kind
from service.video.container import open_video, packets_of, video_stream
from service.video.tracks.copying import PacketDigest
from service.video.tracks.transcoding import planar

_OUT_OF_STEP_S = Fraction(1, 50)
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

    @property
    def name(self) -> str:
        return f"Sound of stream {self.stream} ({self.codec})"


def read_sounds(path: Path) -> list[Sound]:
    """Returns the sound of a file, stream by stream."""
    with open_video(path) as container:
        indexes = [stream.index for stream in container.streams.audio]
    return [_read(path, index) for index in indexes]


def sound_findings(given: Sequence[Sound], result: Sequence[Sound]) -> Iterator[Finding]:
    """Yields what became of each stream. Streams with the same packets or samples belong together, then in order."""
    left = list(result)
    for one in given:
        match = _match(one, left)
        if match is None:
            yield Finding(Kind.LOST, Code.SOUND, f"{one.name} is missing.", one.stream)
            continue
        left.remove(match)
        yield _compared(one, match)
        if abs(match.offset - one.offset) > _OUT_OF_STEP_S:
            late = float(match.offset - one.offset) * 1000
            text = f"{one.name} is {late:+.0f} ms from its place beside the picture."
            yield Finding(Kind.LOST, Code.CLOCK, text, one.stream)


def _match(one: Sound, left: Sequence[Sound]) -> Sound | None:
    same = [each for each in left if one.packets == each.packets or one.samples == each.samples]
    spoken = [each for each in left if each.language == one.language]
    return next(iter([*same, *spoken, *left]), None)


def _compared(one: Sound, two: Sound) -> Finding:
    if one.packets == two.packets:
        return Finding(Kind.KEPT, Code.SOUND, f"{one.name}: the same packets.", one.stream)
    if one.samples == two.samples:
        return Finding(Kind.KEPT, Code.SOUND, f"{one.name}: the same samples in {two.codec}.", one.stream)
    if two.seconds < one.seconds - _PADDING_S:
        text = f"{one.name}: {two.seconds:.3f} s of {one.seconds:.3f} s."
        return Finding(Kind.LOST, Code.SOUND, text, one.stream)
    return Finding(Kind.CHANGED, Code.SOUND, f"{one.name}: coded anew as {two.codec}.", one.stream)


def _read(path: Path, index: int) -> Sound:
    samples, count = hashlib.sha256(), 0
    with open_video(path) as container:
        stream = container.streams[index]
        assert isinstance(stream, AudioStream)
        packets, first = PacketDigest(stream), None
        for packet in packets_of(container, stream):
            if packets.wants(packet):
                packets.add(packet)
            for frame in stream.decode(packet):
                first = _time(frame) if first is None else first
                samples.update(_wide(frame))
                count += frame.samples
        video = video_stream(container)
        begin = (video.start_time or 0) * (video.time_base or Fraction(1))
        return Sound(
            index,
            packets.summary().codec,
            stream.language or "",
            packets.summary().sha256,
            samples.hexdigest(),
            count / stream.codec_context.sample_rate,
            (first or Fraction(0)) - begin,
        )


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
