"""Film that became video by 3:2 pulldown is noticed."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from service.findings import Code, Kind
from service.pipeline.segment import SegmentRequest, restore_segment
from service.types import EncodeOptions, Segment
from service.video.fields.pulldown import is_pulldown
from service.video.findings.frames import frame_findings
from service.video.source import load_source
from tests.support.clips import Clip, Image, write_clip
from tests.support.fake_engines import IdentityEngine
from tests.support.interlaced_clips import Interlaced


@dataclass(frozen=True)
class Telecined(Interlaced):
    """Four film frames become five: the fields of the third and fourth come from two of them."""

    def picture(self, number: int) -> Image:
        upper, lower = ((0, 0), (1, 1), (1, 2), (2, 3), (3, 3))[number % 5]
        woven = self.moment(number // 5 * 4 + upper).copy()
        woven[1::2] = self.moment(number // 5 * 4 + lower)[1::2]
        return woven


def test_film_in_pulldown_is_noticed(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Telecined(frames=30))
    request = SegmentRequest(path, tmp_path / "piece.mp4", Segment(0, 4, 27), EncodeOptions(), window=6)
    findings = restore_segment(request, IdentityEngine(), lambda *_: None, lambda: False).findings

    assert {(one.kind, one.code) for one in findings} == {(Kind.CHANGED, Code.INTERLACING)}
    assert ["3:2 pulldown" in one.text for one in findings] == [False, True]


def test_interlaced_video_is_no_film(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Interlaced(frames=20))
    request = SegmentRequest(path, tmp_path / "piece.mp4", Segment(0, 0, 20), EncodeOptions(), window=6)
    (one,) = restore_segment(request, IdentityEngine(), lambda *_: None, lambda: False).findings

    assert "deinterlaced" in one.text


@pytest.mark.parametrize(
    ("repeating", "frames", "expected"),
    [
        ([2, 3, 7, 8, 12, 13], 15, True),
        ([2, 3], 5, False),  # one cycle proves nothing
        ([2, 7, 12], 15, False),
        (list(range(15)), 15, False),
        ([], 15, False),
    ],
)
def test_the_pattern_has_two_places_of_five(repeating: list[int], frames: int, expected: bool) -> None:
    assert is_pulldown(repeating, frames) == expected


def test_film_in_pulldown_by_flags_is_noticed_by_its_times(tmp_path: Path) -> None:
    times = [0]
    for number in range(15):
        times.append(times[-1] + (3003 if number % 2 else 4505))
    clip = Clip(frames=16, time_base=Fraction(1, 90_000), pts=times, encoder={"crf": "8", "bf": "0"})
    (one,) = frame_findings(load_source(write_clip(tmp_path / "clip.mp4", clip)).index)

    assert (one.kind, one.code) == (Kind.KEPT, Code.INTERLACING)
