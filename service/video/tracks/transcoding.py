"""Codes a track of sound anew, with every sample at its time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from service.video.container import open_video
from service.video.tracks.coding import SoundCoding
from service.video.tracks.layouts import is_assumed
from service.video.tracks.naming import codec_name

_GAP_S = Fraction(1, 20)
"""Sound that is missing for longer is silent in the result; what is less is a rounded timestamp, and is ignored."""

_CHANNELS_BESIDE = 8
"""From so many on, PyAV reads and writes beside the memory of frames that have a plane for each channel."""


@dataclass(frozen=True)
class CodedSound:
    """Sound that was coded anew."""

    stream: int
    """Index of the source's stream."""
    codec: str
    samples: int
    """Per channel."""
    sha256: str | None
    """Of the samples before they were encoded, in hex; None where the codec changes them."""
    damaged: int
    """Packets that did not decode."""


class SoundTranscoder:
    """Decodes the packets of one stream and encodes them for the result.

    Samples are counted, because timestamps are rounded in many containers: a frame's own time only says where silence
    belongs and where sound is there twice.
    """

    def __init__(self, original: AudioStream, output: AudioStream, coding: SoundCoding, layout: str) -> None:
        self._decoder: AudioCodecContext = original.codec_context
        if is_assumed(self._decoder):
            self._decoder.layout = layout
        self._output, self._coding = output, coding
        self._stream = original.index
        self._digest = hashlib.sha256() if coding.exact else None
        # The encoder takes channels apart by itself.
        self._packed = av.AudioFormat(coding.sample_format).packed.name
        self._resampler = AudioResampler(format=self._packed, layout=coding.layout, rate=coding.rate)
        self._next: int | None = None
        self._end: int | None = None
        self.samples = 0
        """Samples per channel that were encoded."""
        self.damaged = 0
        """Packets that did not decode."""

    def cut(self, first: Fraction | None, end: Fraction | None) -> None:
        """Leaves out what is before ``first`` and from ``end`` on, in seconds of the result."""
        self._next = None if first is None else round(first * self._coding.rate)
        self._end = None if end is None else round(end * self._coding.rate)

    def take(self, packet: Packet[Any], shift: Fraction) -> Iterator[Packet[Any]]:
        """Yields encoded packets on the result's clock, whose zero is ``shift`` seconds of the source's."""
        try:
            frames = self._decoder.decode(packet) if packet.size else []
        except av.FFmpegError:
            self.damaged += 1
            return
        for frame in frames:
            yield from self._encode(frame, shift)

    def finish(self) -> Iterator[Packet[Any]]:
        """Yields what decoder, resampler and encoder hold back."""
        for frame in self._decoder.decode(None):
            yield from self._encode(frame, Fraction(0), known=False)
        for frame in self._resampler.resample(None):
            yield from self._write(frame, None)
        yield from self._output.encode(None)

    def summary(self) -> CodedSound:
        """Returns what was coded so far."""
        digest = self._digest.hexdigest() if self._digest else None
        return CodedSound(self._stream, self._coding.codec, self.samples, digest, self.damaged)

    def _encode(self, frame: AudioFrame, shift: Fraction, known: bool = True) -> Iterator[Packet[Any]]:
        time = None
        if known and frame.pts is not None and frame.time_base is not None:
            time = frame.pts * frame.time_base - shift
        frame.pts = None
        for ready in self._resampler.resample(frame):
            yield from self._write(ready, time)
            time = None

    def _write(self, frame: AudioFrame, time: Fraction | None) -> Iterator[Packet[Any]]:
        samples = planar(frame)
        start = None if time is None else round(time * self._coding.rate)
        if self._next is None:
            self._next = 0 if start is None else start
        if start is not None:
            samples = self._aligned(samples, start)
        if self._end is not None:
            samples = samples[:, : max(self._end - self._next, 0)]
        if samples.shape[1]:
            yield from self._output.encode(self._frame(samples))

    def _aligned(self, samples: np.ndarray[Any, Any], start: int) -> np.ndarray[Any, Any]:
        """Puts silence before samples that come too late, and cuts off what was there already."""
        assert self._next is not None
        off = start - self._next
        if abs(off) <= _GAP_S * self._coding.rate and self.samples:
            return samples
        if off < 0:
            return samples[:, -off:]
        silence = np.zeros((samples.shape[0], off), samples.dtype)
        return np.concatenate([silence, samples], axis=1)

    def _frame(self, samples: np.ndarray[Any, Any]) -> AudioFrame:
        assert self._next is not None
        if self._digest:
            self._digest.update(interleaved(samples))
        data = np.ascontiguousarray(samples.T.reshape(1, -1))
        frame = AudioFrame.from_ndarray(data, self._packed, self._coding.layout)
        frame.sample_rate = self._coding.rate
        frame.pts, frame.time_base = self._next, Fraction(1, self._coding.rate)
        self._next += samples.shape[1]
        self.samples += samples.shape[1]
        return frame


def read_sound(path: Path, codec: str) -> list[tuple[int, str]]:
    """Returns, for each sound stream in ``codec``, how many samples it has and their SHA-256 as CodedSound has it."""
    found = []
    with open_video(path) as container:
        indexes = [stream.index for stream in container.streams.audio if codec_name(stream) == codec]
    for index in indexes:
        with open_video(path) as container:
            digest, samples = hashlib.sha256(), 0
            for frame in container.decode(container.streams[index]):
                assert isinstance(frame, AudioFrame)
                digest.update(interleaved(planar(frame)))
                samples += frame.samples
            found.append((samples, digest.hexdigest()))
    return found


def interleaved(samples: np.ndarray[Any, Any]) -> bytes:
    """Returns samples [channels, samples] as bytes, one moment after the other."""
    return np.ascontiguousarray(samples.T).tobytes()


def planar(frame: AudioFrame) -> np.ndarray[Any, Any]:
    """Returns the samples as [channels, samples], in the frame's own type."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels < _CHANNELS_BESIDE:
        return frame.to_ndarray()
    if frame.format.is_planar:
        (frame,) = AudioResampler(format=frame.format.packed.name).resample(frame)
    return frame.to_ndarray().reshape(-1, channels).T
