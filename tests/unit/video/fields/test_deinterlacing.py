"""Interlaced frames become whole pictures, each by its own flag, wherever decoding begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from service.findings import Code, Kind
from service.pipeline.segment import SegmentRequest, restore_segment
from service.pipeline.windows import SIDE
from service.types import EncodeOptions, Segment
from service.video.decode import DecodedFrame, decode_range
from service.video.source import load_source
from tests.support.clips import Clip, psnr, read_frames, write_clip
from tests.support.fake_engines import IdentityEngine, RecordingEngine
from tests.support.interlaced_clips import Interlaced, write_hybrid

CLIP = Interlaced(frames=12)
PROGRESSIVE = Clip(frames=6, encoder={"crf": "2", "bf": "0"})

CLIPS = {
    "H.264, top field first": ("clip.mp4", CLIP),
    "H.264, bottom field first": (
        "clip.mp4",
        Interlaced(frames=12, field_order="bff"),
    ),
    "H.264 in a transport stream": ("clip.ts", CLIP),
    "DV in AVI": (
        "clip.avi",
        Interlaced(frames=6, width=720, height=576, codec="dvvideo", encoder={}, field_order="bff"),
    ),
}


def decoded(path: Path, start: int, stop: int, interlacing: str = "auto") -> list[DecodedFrame]:
    return list(decode_range(load_source(path), start, stop, interlacing))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CLIPS)
def test_each_frame_becomes_the_picture_of_its_first_moment(tmp_path: Path, name: str) -> None:
    file, clip = CLIPS[name]
    path = write_clip(tmp_path / file, clip)
    frames = decoded(path, 0, clip.frames)
    woven = decoded(path, 0, clip.frames, "off")

    assert [frame.number for frame in frames] == list(range(clip.frames))
    assert all(frame.deinterlaced for frame in frames)
    assert not any(frame.deinterlaced for frame in woven)
    for one, other in list(zip(frames, woven, strict=True))[1:-1]:
        truth = clip.moment(2 * one.number)
        assert psnr(one.image, truth) > psnr(other.image, truth) + 6


def test_pictures_are_the_same_from_every_start(tmp_path: Path) -> None:
    """A segment begins in the midst of them, and its first picture needs the frame before."""
    path = write_hybrid(tmp_path, PROGRESSIVE, CLIP)
    whole = decoded(path, 0, 18)

    for start in range(18):
        for one, other in zip(decoded(path, start, min(start + 3, 18)), whole[start:], strict=False):
            assert (one.number, one.deinterlaced) == (other.number, other.deinterlaced)
            assert np.array_equal(one.image, other.image)


def test_each_frame_is_judged_by_its_own_flag(tmp_path: Path) -> None:
    path = write_hybrid(tmp_path, PROGRESSIVE, CLIP)
    frames = decoded(path, 0, 18)
    untouched = decoded(path, 0, 18, "off")

    assert [frame.number for frame in frames if frame.deinterlaced] == list(range(6, 18))
    for one, other in zip(frames[:6], untouched[:6], strict=True):
        assert np.array_equal(one.image, other.image)


def test_deinterlaced_frames_are_said(tmp_path: Path) -> None:
    path = write_hybrid(tmp_path, PROGRESSIVE, CLIP)
    request = SegmentRequest(path, tmp_path / "piece.mp4", Segment(0, 4, 9), EncodeOptions(), window=3)
    (one,) = restore_segment(request, IdentityEngine(), lambda *_: None, lambda: False).findings

    assert (one.kind, one.code, one.count) == (Kind.CHANGED, Code.INTERLACING, 3)


def test_frames_are_left_as_they_are_where_that_is_asked_for(tmp_path: Path) -> None:
    path, options = write_clip(tmp_path / "clip.mp4", CLIP), EncodeOptions(crf=2, deinterlace="off")
    request = SegmentRequest(path, tmp_path / "piece.mp4", Segment(0, 0, 4), options, window=3)
    result = restore_segment(request, IdentityEngine(), lambda *_: None, lambda: False)
    first = read_frames(request.target)[0][1].to_ndarray(format="rgb24")

    assert not result.findings
    assert psnr(first, CLIP.picture(0)) > 35


def test_fields_that_are_kept_are_restored_each_by_itself(tmp_path: Path) -> None:
    """The engine sees pictures of one moment only, of half the height; progressive frames it sees whole."""
    path, options = write_hybrid(tmp_path, PROGRESSIVE, CLIP), EncodeOptions(crf=2, deinterlace="keep")
    engine = RecordingEngine()
    request = SegmentRequest(path, tmp_path / "piece.mp4", Segment(0, 0, 18), options, window=18)
    result = restore_segment(request, engine, lambda *_: None, lambda: False)
    given = decoded(path, 0, 18, "off")
    shown = [frame.to_ndarray(format="rgb24") for _, frame in read_frames(request.target)]

    assert {window.shape[1] for window in engine.windows} == {32, 64}
    halves = [window for window in engine.windows if window.shape[1] == 32]
    fields = {field.tobytes() for window in halves for field in window[SIDE:-SIDE]}
    assert fields == {frame.image[parity::2].tobytes() for frame in given[6:] for parity in (0, 1)}
    for one, other in zip(given, shown, strict=True):
        assert psnr(one.image, other) > 35
    (one,) = result.findings
    assert (one.kind, one.code, one.count) == (Kind.CHANGED, Code.INTERLACING, 12)
