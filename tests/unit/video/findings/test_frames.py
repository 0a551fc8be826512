"""What is said of a file's clock and of its end before anything is restored."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from service.findings import Code, Finding, Kind
from service.types import Excerpt
from service.video.findings.frames import frame_findings
from service.video.source import load_source
from tests.support.broken_clips import cut_off, damage_frame, joined, later, remux
from tests.support.clips import Clip, write_clip

CLIP = Clip(frames=15, encoder={"crf": "8", "bf": "0"}, audio="aac")


def found(path: Path, part: Excerpt | None = None) -> list[Finding]:
    return list(frame_findings(load_source(path, part).index))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".flv"])
def test_nothing_is_said_of_a_healthy_file(tmp_path: Path, suffix: str) -> None:
    assert not found(write_clip(tmp_path / f"clip{suffix}", CLIP))


def test_a_late_start_is_said(tmp_path: Path) -> None:
    path = remux(write_clip(tmp_path / "whole.flv", CLIP), tmp_path / "clip.flv", later(Fraction(7200)))
    (one,) = found(path)

    assert (one.kind, one.code) == (Kind.CHANGED, Code.START)
    assert "begins at 7200.0" in one.text


def test_breaks_of_the_clock_are_said_with_their_times_in_the_result(tmp_path: Path) -> None:
    path = joined(tmp_path, ".ts", CLIP, (10, 500, 20))
    (one,) = found(path)

    assert (one.kind, one.code, one.count) == (Kind.CHANGED, Code.CLOCK, 2)
    assert one.times_s == pytest.approx((0.66, 1.3), abs=0.05)
    (one,) = found(path, Excerpt(1.0))
    assert one.times_s == pytest.approx((0.3,), abs=0.05)
    assert not found(path, Excerpt(0.0, 0.5))


def test_what_a_truncated_file_lacks_is_lost(tmp_path: Path) -> None:
    path = cut_off(write_clip(tmp_path / "clip.mkv", CLIP), 0.5)
    (one,) = found(path)

    assert (one.kind, one.code) == (Kind.LOST, Code.DAMAGE)
    assert one.text.startswith("The file is truncated: its last 0.")
    assert not found(path, Excerpt(0.0, 0.1))


MJPEG = Clip(frames=12, codec="mjpeg", pix_fmt="yuvj420p", encoder={"qmin": "2", "qmax": "2"})
GROUPS = {"crf": "8", "g": "5", "bf": "0"}

CHECKED = {
    "H.264 in MP4": ("clip.mp4", Clip(frames=12, encoder=GROUPS)),
    "HEVC in MP4": (
        "clip.mp4",
        Clip(
            frames=12,
            codec="libx265",
            encoder={"crf": "8", "x265-params": "keyint=5:bframes=0:log-level=error"},
        ),
    ),
    "Motion JPEG in MOV": ("clip.mov", MJPEG),
    "Motion JPEG in AVI": ("clip.avi", MJPEG),
    "VP9 in MP4": ("clip.mp4", Clip(frames=12, codec="libvpx-vp9", encoder={"crf": "10"})),
    "ProRes": ("clip.mov", Clip(frames=12, codec="prores_ks", pix_fmt="yuv422p10le", encoder={})),
    "MPEG-2 in Matroska": (
        "clip.mkv",
        Clip(frames=12, codec="mpeg2video", encoder={"qscale": "2", "bf": "0"}),
    ),
}


@pytest.mark.parametrize("name", CHECKED)
def test_a_packet_that_is_no_frame_is_known_before_anything_is_restored(tmp_path: Path, name: str) -> None:
    file, clip = CHECKED[name]
    path = write_clip(tmp_path / file, clip)
    assert not found(path)
    if file.endswith("mkv"):
        return  # a packet's place is that of the block around it there
    (one,) = found(damage_frame(path, 7, byte=0))

    assert (one.kind, one.code, one.frames, one.times_s) == (Kind.LOST, Code.DAMAGE, (7,), (0.28,))
