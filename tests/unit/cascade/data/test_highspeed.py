"""Blur by averaging a fast video's frames."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cascade.data.folders import find_videos, read_frames
from cascade.data.highspeed import VideoError, average_windows, write_pairs
from cascade.synthesis.camera.response import make_response


def flat(level: int) -> np.ndarray:
    return np.full((16, 24, 3), level, np.uint8)


def write_video(path: Path, frames: list[np.ndarray]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 240, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()


def test_each_window_gives_its_mean_light_and_its_middle_frame() -> None:
    frames = [flat(level) for level in (0, 0, 0, 90, 255, 255, 255)] + [flat(30)] * 7 + [flat(1)] * 3
    pairs = list(average_windows(frames, 7, make_response(2.2)))
    assert len(pairs) == 2
    (blurred, sharp), (still, _) = pairs
    light = (3 * 1.0 + (90 / 255) ** 2.2) / 7
    assert blurred[0, 0].tolist() == [round(255 * light ** (1 / 2.2))] * 3
    assert sharp[0, 0].tolist() == [90] * 3
    np.testing.assert_array_equal(still, flat(30))


@pytest.mark.parametrize("window", [8, 5, 17])
def test_windows_without_a_middle_or_out_of_range_are_refused(window: int) -> None:
    with pytest.raises(ValueError, match="odd number from 7 to 15"):
        next(average_windows([], window, make_response()))


def test_a_video_becomes_a_paired_folder(tmp_path: Path) -> None:
    _, x = np.mgrid[:48, :64]
    frames = [np.repeat(((x + 2 * t) % 32 * 7)[..., None], 3, axis=2).astype(np.uint8) for t in range(21)]
    write_video(tmp_path / "court.avi", frames)
    assert write_pairs(tmp_path / "court.avi", tmp_path / "pairs", window=7, scale=0.5) == 3
    (video,) = find_videos(tmp_path / "pairs")
    assert video.name == "court"
    blurred, sharp = read_frames(video.blurred), read_frames(video.sharp)
    assert blurred.shape == sharp.shape == (3, 24, 32, 3)
    assert blurred.astype(float).std() < 0.6 * sharp.astype(float).std()


def test_what_is_no_video_or_too_short_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "not.mp4").write_bytes(b"no video at all")
    with pytest.raises(VideoError, match="cannot open"):
        write_pairs(tmp_path / "not.mp4", tmp_path / "pairs", window=7)
    write_video(tmp_path / "short.avi", [flat(9)] * 5)
    with pytest.raises(VideoError, match="fewer than 7"):
        write_pairs(tmp_path / "short.avi", tmp_path / "pairs", window=7)
