"""Clips for the benchmarks: written with a sound track, read back without any of the service's code."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import Colorspace, Interpolation
from av.video.stream import VideoStream
from numpy.typing import NDArray

BT709 = 1
LIMITED_RANGE = 1
SOUND_RATE = 48_000
TONE_HZ = 440.0
TONE_LEVEL = 0.2
"""Amplitude of the tone as a share of full scale: heard, and not unpleasant."""
BEATS_PER_SECOND = 2
_EXACT = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def write_clip(
    path: Path, frames: NDArray[np.uint8], rate: int, crf: int = 10, *, sound: bool = True
) -> None:
    """Writes ``frames``, uint8 [N, H, W, 3] RGB, as H.264 and BT.709, with a beating tone as AAC if ``sound``.

    ``crf`` 10 keeps the coding loss far below the blur.
    """
    with av.open(str(path), "w") as container:
        video = _video(container, frames.shape[2], frames.shape[1], rate, crf)
        tone = container.add_stream("aac", rate=SOUND_RATE) if sound else None
        for image in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            coded = picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, interpolation=_EXACT)
            container.mux(video.encode(coded))
        container.mux(video.encode(None))
        if tone is not None:
            _write_tone(container, tone, len(frames) / rate)


def read_clip(path: Path) -> NDArray[np.uint8]:
    """Reads every frame of a BT.709 video: uint8 [N, H, W, 3] RGB."""
    with av.open(str(path)) as container:
        frames = [
            frame.reformat(
                format="rgb24", src_colorspace=Colorspace.ITU709, interpolation=_EXACT
            ).to_ndarray()
            for frame in container.decode(video=0)
        ]
    return np.stack(frames).astype(np.uint8)


def sound_packets(path: Path) -> list[tuple[Fraction, bytes]]:
    """Returns time in seconds and payload of each packet of the first sound track."""
    with av.open(str(path)) as container:
        packets = container.demux(audio=0)
        return [(_seconds(packet), bytes(packet)) for packet in packets if packet.size]


def frame_times(path: Path) -> list[Fraction]:
    """Returns the time in seconds of each frame, in the order of display."""
    with av.open(str(path)) as container:
        return sorted(_seconds(packet) for packet in container.demux(video=0) if packet.size)


def _seconds(packet: av.Packet[Any]) -> Fraction:
    if packet.pts is None or packet.time_base is None:
        raise ValueError("The file has a packet without a time.")
    return packet.pts * packet.time_base


def _video(container: OutputContainer, width: int, height: int, rate: int, crf: int) -> VideoStream:
    stream = container.add_stream(
        "libx264", rate=rate, options={"crf": str(crf), "preset": "medium"}, width=width, height=height
    )
    context = stream.codec_context
    context.pix_fmt = "yuv420p"
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = LIMITED_RANGE
    return stream


def _write_tone(container: OutputContainer, stream: AudioStream, seconds: float) -> None:
    times = np.arange(round(seconds * SOUND_RATE)) / SOUND_RATE
    beat = 0.5 + 0.5 * np.cos(2 * np.pi * BEATS_PER_SECOND * times)
    wave = (TONE_LEVEL * beat * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.float32)
    block = 1024  # AAC takes this many samples at once
    for start in range(0, len(wave), block):
        samples = np.tile(wave[start : start + block], (2, 1))
        frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
