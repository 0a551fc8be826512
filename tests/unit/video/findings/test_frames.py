"""What is said of a file's clock and of its end before anything is restored."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from service.findings import Code, Finding, Kind
from service.types import Excerpt
from service.video.findings.frames import frame_findings
from service.video.source import load_source
from tests.support.broken_clips import cut_off, joined, later, remux
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
