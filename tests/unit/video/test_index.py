from fractions import Fraction
from pathlib import Path

import pytest

from service.errors.video import NotAVideo
from service.video.index import FrameIndex, Keyframe
from service.video.source import load_source
from tests.support.clips import Clip, write_clip

INDEX = FrameIndex(
    time_base=Fraction(1, 1000),
    pts=tuple(range(0, 1000, 40)),
    keyframes=tuple(Keyframe(pts, pts - 80) for pts in range(0, 1000, 200)),
    last_duration=40,
)


def test_decoding_begins_at_the_last_keyframe_and_falls_back_to_the_start() -> None:
    entries = list(INDEX.entry_points(22))

    assert entries[0] == Keyframe(800, 720)
    assert entries[-1] is None
    assert len(set(entries)) == len(entries)


def test_the_first_group_is_decoded_from_the_start() -> None:
    assert list(INDEX.entry_points(3)) == [None]


def test_positions_are_exact() -> None:
    assert INDEX.position(80) == 2
    assert INDEX.position(81) is None
    assert INDEX.position(10_000) is None


def test_durations_and_rate_come_from_the_timestamps() -> None:
    assert INDEX.duration == 1
    assert INDEX.rate == 25
    assert INDEX.step(3) == 40


def test_an_index_is_made_once_per_file(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4")

    assert load_source(path) is load_source(path)
    write_clip(path, Clip(frames=5))
    assert load_source(path).index.frames == 5


def test_a_playlist_is_refused_in_the_pipeline_too(tmp_path: Path) -> None:
    write_clip(tmp_path / "victim.mp4", Clip(frames=2))
    playlist = tmp_path / "upload"
    playlist.write_text("ffconcat version 1.0\nfile victim.mp4\n")

    with pytest.raises(NotAVideo):
        load_source(playlist)
