"""Frames that do not decode, and files that end too early."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from service.errors.pipeline import PipelineError
from service.errors.video import FrameSizeRejected
from service.types import Excerpt
from service.video.decode import DecodedFrame, decode_range
from service.video.sandbox.probe import ProbeLimits, probe
from service.video.source import load_source
from tests.support.broken_clips import cut_off, damage_frame, remux
from tests.support.clips import Clip, psnr, write_clip

LIMITS = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=1000)
FRAMES = 20
GROUPS = {"crf": "8", "g": "5", "bf": "0", "preset": "veryfast"}
MJPEG = Clip(frames=FRAMES, codec="mjpeg", pix_fmt="yuvj420p", encoder={"qmin": "2", "qmax": "2"})

CLIPS = {
    "Motion JPEG in MOV": ("clip.mov", MJPEG),
    "Motion JPEG in AVI": ("clip.avi", MJPEG),
    "H.264 in MP4": ("clip.mp4", Clip(frames=FRAMES, encoder=GROUPS)),
    "H.264 in AVI": ("clip.avi", Clip(frames=FRAMES, encoder=GROUPS)),
    "VP9 in MP4": ("clip.mp4", Clip(frames=FRAMES, codec="libvpx-vp9", encoder={"crf": "10", "g": "5"})),
}


def decoded(
    path: Path, start: int = 0, stop: int = FRAMES, part: Excerpt | None = None
) -> list[DecodedFrame]:
    return list(decode_range(load_source(path, part), start, stop))


def nearest(frame: DecodedFrame, clip: Clip) -> int:
    return max(range(clip.frames), key=lambda number: psnr(frame.image, clip.picture(number)))


@pytest.mark.parametrize("name", CLIPS)
def test_a_frame_that_does_not_decode_holds_the_picture_before_it(tmp_path: Path, name: str) -> None:
    file, clip = CLIPS[name]
    path = damage_frame(write_clip(tmp_path / file, clip), 8)
    frames = decoded(path)

    assert [frame.number for frame in frames] == list(range(FRAMES))
    assert [frame.number for frame in frames if frame.held] == [8]
    assert np.array_equal(frames[8].image, frames[7].image)
    assert [nearest(frame, clip) for frame in frames if not 8 <= frame.number < 10] == [
        number for number in range(FRAMES) if not 8 <= number < 10
    ]


@pytest.mark.parametrize("name", CLIPS)
def test_damage_looks_the_same_from_every_start(tmp_path: Path, name: str) -> None:
    file, clip = CLIPS[name]
    path = damage_frame(
        write_clip(tmp_path / file, clip), 10
    )  # a keyframe, so that what follows suffers, too
    whole = decoded(path)

    for start in range(0, FRAMES, 3):
        for one, other in zip(decoded(path, start, min(start + 4, FRAMES)), whole[start:], strict=False):
            assert (one.number, one.pts, one.held) == (other.number, other.pts, other.held)
            assert np.array_equal(one.image, other.image)


def test_the_frames_of_an_excerpt_keep_their_places(tmp_path: Path) -> None:
    """Nobody counts the pictures that a decoder gives: the one that is missing would move all after it."""
    path = damage_frame(write_clip(tmp_path / "clip.avi", MJPEG), 3)

    assert [nearest(frame, MJPEG) for frame in decoded(path, 0, 5, Excerpt(0.4))] == [10, 11, 12, 13, 14]


def test_an_excerpt_may_begin_with_a_frame_that_does_not_decode(tmp_path: Path) -> None:
    path = damage_frame(write_clip(tmp_path / "clip.mov", MJPEG), 10)

    assert [nearest(frame, MJPEG) for frame in decoded(path, 0, 3, Excerpt(0.4))] == [9, 11, 12]


def test_the_first_frame_has_the_picture_after_it_where_it_does_not_decode(tmp_path: Path) -> None:
    path = damage_frame(write_clip(tmp_path / "clip.mov", MJPEG), 0)
    frames = decoded(path)

    assert [frame.number for frame in frames if frame.held] == [0]
    assert nearest(frames[0], MJPEG) == 1


def test_reordered_frames_in_avi_keep_their_places_behind_a_damaged_one(tmp_path: Path) -> None:
    clip = Clip(frames=FRAMES, encoder={"crf": "8", "bf": "3", "g": "10", "preset": "veryfast"})
    path = damage_frame(write_clip(tmp_path / "clip.avi", clip), 3)
    frames = decoded(path)

    assert sum(frame.held for frame in frames) == 1
    assert [nearest(frame, clip) for frame in frames[10:]] == list(range(10, FRAMES))


def test_nothing_that_decodes_is_an_error(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mov", MJPEG)
    source = load_source(path)
    for packet in range(FRAMES):
        damage_frame(path, packet)

    with pytest.raises(PipelineError, match=r"Frame 3 at 0\.120 s cannot be decoded"):
        list(decode_range(source, 4, 9))


CUT = {
    "MP4 with its index in front": (
        "clip.mp4",
        {"movflags": "+faststart"},
        Clip(frames=FRAMES, encoder=GROUPS),
    ),
    "Matroska": ("clip.mkv", {}, Clip(frames=FRAMES, encoder=GROUPS)),
    "WebM": ("clip.webm", {}, Clip(frames=FRAMES, codec="libvpx-vp9", encoder={"crf": "10", "g": "5"})),
    "AVI": ("clip.avi", {}, MJPEG),
}


@pytest.mark.parametrize("name", CUT)
def test_what_is_there_of_a_truncated_file_is_a_video(tmp_path: Path, name: str) -> None:
    file, options, clip = CUT[name]
    path = remux(
        write_clip(tmp_path / f"whole-{file}", clip), tmp_path / file, lambda _packet: None, **options
    )
    assert load_source(path).index.lost == 0
    index = load_source(cut_off(path, 0.6)).index
    frames = decoded(path, 0, index.frames)

    assert 5 <= index.frames < FRAMES
    assert abs(index.duration + index.lost - Fraction(FRAMES, 25)) <= Fraction(1, 25)
    assert not any(frame.held for frame in frames)
    assert [nearest(frame, clip) for frame in frames] == list(range(index.frames))


SIZES = ((96, 64), (128, 80))


def two_sizes(folder: Path, suffix: str, **fields: Any) -> tuple[Path, list[Clip]]:
    """A file whose frames change their size after the tenth."""
    clips = [Clip(frames=10, width=width, height=height, **fields) for width, height in SIZES]
    parts = [write_clip(folder / f"{clip.width}{suffix}", clip) for clip in clips]
    path = folder / f"clip{suffix}"
    with av.open(str(path), "w") as output, av.open(str(parts[0])) as template:
        stream = output.add_stream_from_template(template.streams.video[0], opaque=True)
        for number, part in enumerate(parts):
            with av.open(str(part)) as given:
                for packet in given.demux(video=0):
                    if packet.size:
                        shift = round(number * Fraction(10, 25) / packet.time_base)
                        packet.pts, packet.dts = packet.pts + shift, packet.pts + shift
                        packet.stream = stream
                        output.mux(packet)
    return path, clips


TWO_SIZES: dict[str, tuple[str, dict[str, Any]]] = {
    "H.264 in a transport stream": (".ts", {"encoder": {"crf": "8", "bf": "0"}}),
    "MPEG-2 in a transport stream": (".ts", {"codec": "mpeg2video", "encoder": {"bf": "0", "qscale": "2"}}),
    "VP8 in WebM": (".webm", {"codec": "libvpx", "encoder": {"crf": "4", "b": "2M", "auto-alt-ref": "0"}}),
    "VP9 in WebM": (".webm", {"codec": "libvpx-vp9", "encoder": {"crf": "10", "lag-in-frames": "0"}}),
    "Motion JPEG in MOV": (
        ".mov",
        {"codec": "mjpeg", "pix_fmt": "yuvj420p", "encoder": {"qmin": "2", "qmax": "2"}},
    ),
}


@pytest.mark.parametrize("name", TWO_SIZES)
def test_a_change_of_size_is_refused_before_anything_is_restored(tmp_path: Path, name: str) -> None:
    suffix, fields = TWO_SIZES[name]
    path, _ = two_sizes(tmp_path, suffix, **fields)

    with pytest.raises(FrameSizeRejected, match=r"from 96x64 to 128x80 at frame 10, 0\.400 s"):
        asyncio.run(probe(path, LIMITS))


@pytest.mark.parametrize("name", TWO_SIZES)
@pytest.mark.parametrize(("part", "number"), [(Excerpt(0.0, 0.4), 0), (Excerpt(0.4), 1)])
def test_each_part_of_a_video_that_changes_its_size_can_be_restored(
    tmp_path: Path, name: str, part: Excerpt, number: int
) -> None:
    suffix, fields = TWO_SIZES[name]
    path, clips = two_sizes(tmp_path, suffix, **fields)
    info = asyncio.run(probe(path, LIMITS, part))
    frames = decoded(path, 0, 10, part)

    assert (info.frames, info.width, info.height) == (10, *SIZES[number])
    assert [nearest(frame, clips[number]) for frame in frames] == list(range(10))
