"""Tiny videos with sound, subtitles and other streams of many kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.support.clips import moving_picture

RATE = 48_000


@dataclass(frozen=True)
class Track:
    """A stream of sound to write."""

    codec: str
    layout: str = "stereo"
    rate: int = RATE
    format: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    disposition: int = 0
    start_s: float = 0.0
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Text:
    """A stream of subtitles to write: payloads with their times in milliseconds."""

    codec: str
    lines: Sequence[tuple[int, int, bytes]]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Tracks:
    """What to write beside ``frames`` pictures."""

    sound: Sequence[Track] = ()
    texts: Sequence[Text] = ()
    frames: int = 12
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    tags: dict[str, str] = field(default_factory=dict)
    video_tags: dict[str, str] = field(default_factory=dict)
    chapters: Sequence[tuple[int, int, str]] = ()
    """Begin and end in milliseconds, and title."""
    attachments: Sequence[tuple[str, str, bytes]] = ()
    options: dict[str, str] = field(default_factory=dict)
    """Of the muxer."""
    seconds: float = 0.48


def tone(seconds: float, rate: int, channels: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Returns [channels, samples] in -1..1: another tone in every channel, with noise in all bits."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(7).uniform(-1e-3, 1e-3, (channels, len(times)))
    return np.stack([0.4 * np.sin(2 * np.pi * 220 * (n + 1) * times) for n in range(channels)]) + noise


def write_tracks(path: Path, wanted: Tracks) -> Path:
    """Writes the clip; the container follows from the suffix."""
    with av.open(str(path), "w", options=wanted.options) as output:
        output.metadata.update(wanted.tags)
        video = output.add_stream(wanted.codec, rate=25, width=96, height=64)
        video.pix_fmt = wanted.pix_fmt
        video.metadata.update(wanted.video_tags)
        sounds = [_add_sound(output, track) for track in wanted.sound]
        texts = [_add_text(output, text) for text in wanted.texts]
        for name, kind, data in wanted.attachments:
            output.add_attachment(name, kind, data)
        if wanted.chapters:
            output.set_chapters([_chapter(number, *one) for number, one in enumerate(wanted.chapters, 1)])
        output.start_encoding()
        for number in range(wanted.frames):
            frame = av.VideoFrame.from_ndarray(moving_picture(number), "rgb24").reformat(
                format=wanted.pix_fmt
            )
            frame.pts = number
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for track, stream in zip(wanted.sound, sounds, strict=True):
            _write_sound(output, stream, track, wanted.seconds)
        for text, stream in zip(wanted.texts, texts, strict=True):
            _write_text(output, stream, text)
    return path


def samples(path: Path, index: int = 0) -> np.ndarray[Any, Any]:
    """Returns the decoded samples [channels, samples] of a sound stream, read without any of the service's code."""
    with av.open(str(path)) as container:
        frames = list(container.decode(audio=index))
    parts = [
        frame.to_ndarray()
        if frame.format.is_planar
        else frame.to_ndarray().reshape(-1, frame.layout.nb_channels).T
        for frame in frames
    ]
    return np.concatenate(parts, axis=1)


def _add_sound(output: Any, track: Track) -> Any:
    stream = output.add_stream(track.codec, rate=track.rate, options=dict(track.options))
    stream.codec_context.layout = track.layout
    if track.format:
        stream.codec_context.format = track.format
    stream.metadata.update(track.tags)
    if track.disposition:
        stream.disposition = track.disposition
    return stream


def _write_sound(output: Any, stream: Any, track: Track, seconds: float) -> None:
    wave = tone(seconds, track.rate, stream.codec_context.layout.nb_channels).astype(np.float32)
    resampler = av.AudioResampler(stream.codec_context.format, stream.codec_context.layout, track.rate)
    size = stream.codec_context.frame_size or 1024
    start = round(track.start_s * track.rate)
    for at in range(0, wave.shape[1], size):
        part = np.ascontiguousarray(wave[:, at : at + size].T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(part, "flt", track.layout)
        frame.sample_rate, frame.pts, frame.time_base = track.rate, start + at, Fraction(1, track.rate)
        for ready in resampler.resample(frame):
            output.mux(stream.encode(ready))
    output.mux(stream.encode(None))


def _add_text(output: Any, text: Text) -> Any:
    stream = output.add_mux_stream(text.codec, time_base=Fraction(1, 1000))
    stream.metadata.update(text.tags)
    return stream


def _write_text(output: Any, stream: Any, text: Text) -> None:
    for start, duration, payload in text.lines:
        packet = av.Packet(payload)
        packet.stream, packet.time_base = stream, Fraction(1, 1000)
        packet.pts = packet.dts = start
        packet.duration = duration
        output.mux(packet)


def _chapter(number: int, start: int, end: int, title: str) -> dict[str, Any]:
    times = {"start": start, "end": end, "time_base": Fraction(1, 1000)}
    return {"id": number, **times, "metadata": {"title": title}}
