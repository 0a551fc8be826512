"""Makes one video of an upload and its result, before left and after right, with the sound of the result.

``python -m service.pipeline.side_by_side REQUEST`` does so in a process of its own, which yields to all others and says
on its standard output how many frames are done.
"""

from __future__ import annotations

import heapq
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from pydantic import TypeAdapter

from service.pipeline.newest import shown_size, upright
from service.types import EncodeOptions, Excerpt, Interlacing
from service.video.color import result_tags
from service.video.container import packets_of
from service.video.decode import decode_range
from service.video.encoding.pictures import Image
from service.video.encoding.piece import PieceEncoder
from service.video.frame_limit import frame_limit, limit_frames
from service.video.source import Source, load_source

WIDTH = 3840
"""Pixels of the video's width at most."""
DIVIDER = 4
"""Pixels of the line between the halves."""
_GRAY = 128
_OPTIONS = EncodeOptions(codec="h264", crf=18)
_COPIED = frozenset({"aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"})
"""Codecs of sound that MP4 holds; all others become AAC."""
_NICENESS = 10


@dataclass(frozen=True)
class SideBySide:
    """What to make a video of. Source and result are files of the service."""

    source: Path
    result: Path
    target: Path
    frames: int
    excerpt: Excerpt | None = None
    deinterlace: Interlacing = "auto"
    max_pixels: int = field(default_factory=frame_limit)
    """As in the process that asks."""

    def to_json(self) -> str:
        """Returns the first argument of the process."""
        return _REQUEST.dump_json(self).decode()


_REQUEST = TypeAdapter(SideBySide)


def picture_of(target: Path) -> Path:
    """Returns where the video without sound is while it is being made."""
    return target.with_name(f"{target.name}.picture")


def make(request: SideBySide, on_frame: Callable[[int], None]) -> None:
    """Writes the video; ``on_frame`` gets the number of frames that are done. Raises PipelineError and VideoError."""
    source, result = load_source(request.source, request.excerpt), load_source(request.result)
    picture = picture_of(request.target)
    size, rotation = shown_size(source.picture, (WIDTH - DIVIDER) // 2, across=True), source.picture.rotation
    canvas = _canvas(source, size)
    before = decode_range(source, 0, request.frames, request.deinterlace)
    after = decode_range(result, 0, request.frames, "off")
    try:
        with ExitStack() as stack:
            encoder = stack.enter_context(PieceEncoder(picture, canvas, _OPTIONS))
            for frames in (before, after):
                stack.enter_context(closing(frames))  # type: ignore[type-var]  # generators
            for one, other in zip(before, after, strict=False):
                halves = (upright(frame.image, size, rotation) for frame in (one, other))
                encoder.write(_beside(*halves), one.number)
                on_frame(one.number + 1)
        _add_sound(picture, request.result, request.target)
    finally:
        picture.unlink(missing_ok=True)


def _canvas(source: Source, size: tuple[int, int]) -> Source:
    """Returns the source as if it were what is encoded: upright, with square pixels and eight bits."""
    shown = source.picture
    width, height = size if shown.rotation in (0, 180) else size[::-1]
    picture = replace(
        shown,
        width=2 * width + DIVIDER,
        height=height,
        pix_fmt="yuv420p",
        bit_depth=8,
        color=result_tags(shown.color, shown.chroma == "rgb"),
        interlaced=False,
        has_alpha=False,
        pixel_aspect=None,
        display_matrix=None,
        rotation=0,
        chroma="420",
        light=None,
        dynamic_light=False,
        dolby_vision=None,
    )
    return replace(source, picture=picture)


def _beside(before: Image, after: Image) -> Image:
    line = np.full((before.shape[0], DIVIDER, 3), _GRAY, np.uint8)
    return np.hstack([before, line, after])


def _add_sound(picture: Path, result: Path, target: Path) -> None:
    """Writes ``target`` from the stream in ``picture`` and the sound in ``result``, copied where MP4 holds it."""
    with (
        av.open(str(picture)) as video,
        av.open(str(result)) as sound,
        av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as output,
    ):
        shown = output.add_stream_from_template(video.streams.video[0], opaque=True)
        packets = [_sound(sound.streams.audio[0], sound, output)] if sound.streams.audio else []

        def pictures() -> Iterator[Packet[Any]]:
            for packet in packets_of(video, video.streams.video[0]):
                if packet.size:
                    packet.stream = shown
                    yield packet

        for packet in heapq.merge(pictures(), *packets, key=_moment):
            output.mux(packet)


def _moment(packet: Packet[Any]) -> float:
    return float((packet.dts or 0) * packet.time_base)


def _sound(stream: AudioStream, sound: InputContainer, output: OutputContainer) -> Iterator[Packet[Any]]:
    """Returns the packets of a stream of sound as they are, or coded as AAC."""
    if stream.codec_context.name in _COPIED:
        return _copied(stream, sound, output.add_stream_from_template(stream))
    coded = output.add_stream("aac", rate=stream.rate)
    coded.codec_context.layout = stream.codec_context.layout
    return _coded(stream, sound, coded)


def _copied(stream: AudioStream, sound: InputContainer, target: AudioStream) -> Iterator[Packet[Any]]:
    for packet in packets_of(sound, stream):
        if packet.size:
            packet.stream = target
            yield packet


def _coded(stream: AudioStream, sound: InputContainer, target: AudioStream) -> Iterator[Packet[Any]]:
    for frame in sound.decode(stream):
        yield from target.encode(frame)
    yield from target.encode(None)


def main() -> None:
    """Makes the video that the first argument asks for."""
    os.nice(_NICENESS)
    request = _REQUEST.validate_json(sys.argv[1])
    limit_frames(request.max_pixels)
    make(request, lambda done: print(done, flush=True))  # noqa: T201  # read by who started this


if __name__ == "__main__":
    main()
