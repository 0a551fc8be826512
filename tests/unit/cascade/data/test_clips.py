"""Clips to measure on: read from paired folders, or synthesized."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cascade.data.clips import paired_clips, synthetic_clips
from cascade.data.folders import PairingError


def write(path: Path, level: int, height: int = 8) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((height, 8, 3), level, np.uint8))


def test_a_paired_video_becomes_a_recorded_clip(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path / "blur" / "walk" / f"{number}.png", number)
        write(tmp_path / "gt" / "walk" / f"{number}.png", 100 + number)
    (clip,) = paired_clips(tmp_path)
    assert (clip.name, clip.synthetic) == ("walk", False)
    assert clip.blurred[:, 0, 0, 0].tolist() == [0, 1]
    assert clip.sharp[:, 0, 0, 0].tolist() == [100, 101]


def test_halves_of_different_sizes_are_an_error(tmp_path: Path) -> None:
    write(tmp_path / "blur" / "walk" / "0.png", 0)
    write(tmp_path / "gt" / "walk" / "0.png", 0, height=9)
    with pytest.raises(PairingError, match="'walk' differ in size"):
        list(paired_clips(tmp_path))


def test_synthetic_clips_are_the_same_every_time() -> None:
    photos = [np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)]
    first, again = ([*synthetic_clips(photos, side=64, frames=3)] for _ in range(2))
    assert [clip.name for clip in first] == [f"synthetic_{number:02}" for number in range(12)]
    for one, other in zip(first, again, strict=True):
        assert one.synthetic
        assert one.blurred.shape == one.sharp.shape == (3, 64, 64, 3)
        np.testing.assert_array_equal(one.blurred, other.blurred)
        np.testing.assert_array_equal(one.sharp, other.sharp)
