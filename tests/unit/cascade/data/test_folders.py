"""Paired folders in each layout, and what is wrong with broken ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cascade.data.folders import PairingError, find_videos, read_frames


def write_frames(folder: Path, count: int, level: int = 0, suffix: str = ".png", side: int = 8) -> None:
    folder.mkdir(parents=True)
    for index in range(count):
        picture = np.full((side, side, 3), (0, 0, level + index), np.uint8)
        cv2.imwrite(str(folder / f"{index:05}{suffix}"), picture)


@pytest.mark.parametrize(
    ("blurred", "sharp"),
    [
        ("blur/{}", "gt/{}"),
        ("INPUT/{}", "GT/{}"),
        ("{}/input", "{}/GT"),
        ("{}/blur", "{}/sharp"),
    ],
)
def test_every_layout_gives_the_same_pairs(tmp_path: Path, blurred: str, sharp: str) -> None:
    for name in ("second", "first"):
        write_frames(tmp_path / blurred.format(name), 3, level=10)
        write_frames(tmp_path / sharp.format(name), 3, level=100)
    videos = find_videos(tmp_path)
    assert [video.name for video in videos] == ["first", "second"]
    assert read_frames(videos[0].blurred)[:, 0, 0, 0].tolist() == [10, 11, 12]
    assert read_frames(videos[0].sharp)[:, 0, 0].tolist() == [[100, 0, 0], [101, 0, 0], [102, 0, 0]]


def test_the_halves_may_differ_in_format(tmp_path: Path) -> None:
    write_frames(tmp_path / "v" / "input", 2, suffix=".jpg")
    write_frames(tmp_path / "v" / "GT", 2)
    assert [path.name for path in find_videos(tmp_path)[0].blurred] == ["00000.jpg", "00001.jpg"]


def test_a_missing_frame_is_named(tmp_path: Path) -> None:
    write_frames(tmp_path / "blur" / "v", 3)
    write_frames(tmp_path / "gt" / "v", 2)
    with pytest.raises(PairingError, match="00002"):
        find_videos(tmp_path)


def test_a_missing_video_is_named(tmp_path: Path) -> None:
    write_frames(tmp_path / "blur" / "a", 1)
    write_frames(tmp_path / "blur" / "b", 1)
    write_frames(tmp_path / "gt" / "a", 1)
    with pytest.raises(PairingError, match=r"only one of .*: b"):
        find_videos(tmp_path)


def test_a_missing_half_an_empty_video_and_a_stray_folder_are_errors(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(PairingError, match="no paired videos"):
        find_videos(tmp_path)
    write_frames(tmp_path / "half" / "blur" / "v", 1)
    with pytest.raises(PairingError, match="no counterpart"):
        find_videos(tmp_path / "half")
    write_frames(tmp_path / "empty" / "blur" / "v", 0)
    write_frames(tmp_path / "empty" / "gt" / "v", 0)
    with pytest.raises(PairingError, match="no frames"):
        find_videos(tmp_path / "empty")
    with pytest.raises(PairingError, match="No folder"):
        find_videos(tmp_path / "absent")


def test_unreadable_and_unequal_frames_are_errors(tmp_path: Path) -> None:
    write_frames(tmp_path / "v", 1)
    (tmp_path / "v" / "broken.png").write_bytes(b"not a picture")
    with pytest.raises(PairingError, match=r"broken\.png"):
        read_frames([tmp_path / "v" / "broken.png"])
    write_frames(tmp_path / "w", 1, side=9)
    with pytest.raises(PairingError, match="different sizes"):
        read_frames([tmp_path / "v" / "00000.png", tmp_path / "w" / "00000.png"])
