"""What is said of a file's clock and of its end before anything is restored."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
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


def test_how_long_the_picture_stands_at_a_break_is_said(tmp_path: Path) -> None:
    """The sound of the first part is longer than its picture, as in parts that were cut from a recording."""
    whole = write_clip(tmp_path / "whole.ts", replace(CLIP, frames=20))
    parts = []
    for start in (10, 500):
        at, part = remux(whole, tmp_path / f"at{start}.ts", later(Fraction(start))), tmp_path / f"{start}.ts"
        with av.open(str(at)) as source, av.open(str(part), "w") as output:
            copies = {one.index: output.add_stream_from_template(one) for one in source.streams}
            pictures = 0
            for packet in source.demux():
                pictures += packet.stream.type == "video"
                if packet.size and (packet.stream.type == "audio" or pictures <= CLIP.frames):
                    packet.stream = copies[packet.stream.index]
                    output.mux(packet)
        parts.append(part.read_bytes())
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(parts))
    index = load_source(path).index
    (at,) = [one for one in range(1, index.frames) if index.step(one - 1) > 1.5 * index.step(0)]
    (one,) = found(path)

    assert "where picture and sound have ended" in one.text
    assert one.text.endswith(f"the picture stands for {float(index.step(at - 1) * index.time_base):.2f} s.")
    assert index.step(at - 1) * index.time_base > Fraction(1, 5)
    assert one.times_s == (round(index.seconds(at), 6),)


def test_of_sound_nothing_is_said_where_there_is_none(tmp_path: Path) -> None:
    path = joined(tmp_path, ".ts", replace(CLIP, audio=None), (10, 500))
    (one,) = found(path)

    assert one.text == "The clock of the file breaks; what follows begins where the picture has ended."
    assert one.times_s == (0.6,)


def test_an_excerpt_that_begins_with_a_break_has_none(tmp_path: Path) -> None:
    path = joined(tmp_path, ".ts", replace(CLIP, audio=None), (10, 500, 20))

    assert not found(path, Excerpt(0.6, 1.2))
    (one,) = found(path, Excerpt(0.6))
    assert one.times_s == (0.6,)


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
