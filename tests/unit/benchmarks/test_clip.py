"""The demo's clips: what is written is what is read back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from benchmarks.clip import frame_times, read_clip, sound_packets, write_clip
from tests.support.clips import moving_picture, psnr


def test_a_clip_keeps_frames_times_and_has_sound_for_its_length(tmp_path: Path) -> None:
    frames = np.stack([moving_picture(number, 128, 96) for number in range(12)])
    path = tmp_path / "clip.mp4"
    write_clip(path, frames, rate=24)
    read = read_clip(path)
    assert read.shape == frames.shape
    assert min(psnr(one, two) for one, two in zip(read, frames, strict=True)) > 38
    assert frame_times(path) == [Fraction(number, 24) for number in range(12)]
    times = [time for time, payload in sound_packets(path) if payload]
    assert 0.4 < times[-1] - times[0] < 0.6
