"""Tiny videos that tests make for themselves, with known frames, times, sound and tags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import av.filter
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from service.types import ColorTags
from service.video.color import conversion
from service.video.conversion.rgb import from_rgb

Image = NDArray[np.uint8]

AUDIO_RATE = 48_000
_AUDIO_FRAME = 1024

BT709 = ColorTags(1, 1, 1, full_range=False)


def moving_picture(number: int, width: int = 96, height: int = 64, scene: int = 0) -> Image:
    """A smooth colorful picture that moves with ``number`` and looks different in every ``scene``."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = (
        128 + 80 * np.sin((x + 2 * number) / 11 + scene),
        128 + 80 * np.cos((y + 1.5 * number) / 9 + 2 * scene),
        128 + 80 * np.sin((x + y + number) / 13 + 3 * scene),
    )
    picture = np.stack(waves, axis=-1)
    return (picture if scene == 0 else picture * 0.3 + 170 * (scene % 2)).clip(0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Clip:
    """What to write. ``pts``: each frame's time in ticks of ``time_base``; None is one tick per frame."""

    frames: int = 12
    width: int = 96
    height: int = 64
    time_base: Fraction = Fraction(1, 25)
    pts: Sequence[int] | None = None
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    encoder: dict[str, str] = field(default_factory=lambda: {"crf": "8", "preset": "veryfast"})
    color: ColorTags = BT709
    rotation: int = 0
    """Degrees clockwise."""
    audio: str | None = None
    cuts: Sequence[int] = ()
    """Frames at which another scene begins."""
    metadata: dict[str, str] = field(default_factory=dict)
    field_order: str = ""
    """``tff`` or ``bff`` marks the frames as interlaced."""

    def picture(self, number: int) -> Image:
        scene = sum(1 for cut in self.cuts if cut <= number)
        return moving_picture(number, self.width, self.height, scene)

    @property
    def seconds(self) -> float:
        last = self.pts[-1] if self.pts else self.frames - 1
        return float((last + 1) * self.time_base)


def write_clip(path: Path, clip: Clip | None = None) -> Path:
    """Write ``clip`` to ``path``; the container follows from the suffix."""
    clip = clip or Clip()
    scale = str(clip.time_base.denominator)
    options = {"movie_timescale": scale, "video_track_timescale": scale} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        container.metadata.update(clip.metadata)
        stream = _video_stream(container, clip)
        sound = container.add_stream(clip.audio, rate=AUDIO_RATE) if clip.audio else None
        for number in range(clip.frames):
            container.mux(stream.encode(_frame(clip, number)))
        container.mux(stream.encode(None))
        if sound is not None:
            _write_sound(container, sound, clip.seconds)
    return path


def write_sound(path: Path, codec: str = "aac", seconds: float = 0.5) -> Path:
    """A file without any video."""
    with av.open(str(path), "w") as container:
        _write_sound(container, container.add_stream(codec, rate=AUDIO_RATE), seconds)
    return path


def read_frames(path: Path) -> list[tuple[Fraction, av.VideoFrame]]:
    """Every decoded frame with its time in seconds, read without any of the service's code."""
    with av.open(str(path)) as container:
        return [(frame.pts * frame.time_base, frame) for frame in container.decode(video=0)]


def read_packets(path: Path, kind: str) -> list[tuple[Fraction, bytes]]:
    """The packets of the first stream of ``kind`` ('audio' or 'video'): time in seconds, and payload."""
    with av.open(str(path)) as container:
        packets = container.demux(**{kind: 0})
        return [(packet.pts * packet.time_base, bytes(packet)) for packet in packets if packet.size]


def psnr(one: Image, two: Image) -> float:
    """Decibels between two uint8 images of one shape."""
    error = float(np.mean((one.astype(np.float64) - two) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def _video_stream(container, clip: Clip):  # type: ignore[no-untyped-def]
    rate = 1 / clip.time_base if clip.time_base.denominator <= 1000 else 25
    stream = container.add_stream(
        clip.codec, rate=Fraction(rate), options=clip.encoder, width=clip.width, height=clip.height
    )
    context = stream.codec_context
    context.pix_fmt = clip.pix_fmt
    if clip.codec == "libvpx":  # its threads wait for each other by spinning: on a busy machine, for minutes
        context.thread_count = 1
    stream.time_base = context.time_base = clip.time_base
    context.color_primaries, context.color_trc = clip.color.primaries, clip.color.transfer
    context.colorspace, context.color_range = clip.color.matrix, 2 if clip.color.full_range else 1
    if clip.rotation:
        stream.set_display_rotation(-clip.rotation)
    return stream


def _frame(clip: Clip, number: int) -> av.VideoFrame:
    how = conversion(clip.color, clip.height)
    frame = from_rgb(clip.picture(number), how, clip.pix_fmt, VideoReformatter())
    if clip.field_order:
        frame = _with_fields(frame, clip.field_order)
    frame.pts = clip.pts[number] if clip.pts else number
    frame.time_base = clip.time_base
    return frame


def _with_fields(frame: av.VideoFrame, order: str) -> av.VideoFrame:
    graph = av.filter.Graph()
    start = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, 25)
    )
    mark, end = graph.add("setfield", order), graph.add("buffersink")
    start.link_to(mark)
    mark.link_to(end)
    graph.configure()
    frame.pts = 0
    start.push(frame)
    return end.pull()


def _write_sound(container, stream, seconds: float) -> None:  # type: ignore[no-untyped-def]
    for block in range(max(1, int(seconds * AUDIO_RATE / _AUDIO_FRAME))):
        phase = np.arange(block * _AUDIO_FRAME, (block + 1) * _AUDIO_FRAME) * (440 * 2 * np.pi / AUDIO_RATE)
        wave = (np.sin(phase) * 0.3).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = (
            AUDIO_RATE,
            block * _AUDIO_FRAME,
            Fraction(1, AUDIO_RATE),
        )
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
