"""Unsharp masking and Fourier burst accumulation do what they are known for."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cascade.evaluation.baselines import UnsharpRestorer, best_unsharp
from cascade.evaluation.burst import accumulate, aligned_burst, merge
from cascade.evaluation.metrics import Quality, measure

Frames = np.ndarray


def _picture(height: int = 96, width: int = 128, seed: int = 0) -> Frames:
    """Sharp, with structures of several sizes."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(
            rng.integers(0, 256, (height // size, width // size, 3), dtype=np.uint8),
            (width, height),
            interpolation=cv2.INTER_NEAREST,
        ).astype(np.float32)
        for size in (4, 16)
    ]
    return np.mean(layers, axis=0).astype(np.uint8)


def _moved_blur(picture: Frames, length: int, vertical: bool) -> Frames:
    kernel = np.full((length, 1) if vertical else (1, length), 1 / length, np.float32)
    return cv2.filter2D(picture, -1, kernel)


def _burst(picture: Frames) -> Frames:
    """Five frames of a still scene, blurred alternately along both axes."""
    return np.stack([_moved_blur(picture, 7, vertical=number % 2 == 0) for number in range(5)])


def test_accumulation_takes_each_direction_from_the_frame_that_kept_it() -> None:
    picture = _picture()
    video = _burst(picture)
    before, after = measure(video[2], picture), measure(accumulate(video, 2), picture)
    assert after.psnr > before.psnr + 3
    assert after.ssim > before.ssim + 0.1


def test_accumulating_equal_frames_changes_nothing() -> None:
    video = np.repeat(_picture(70, 90)[None], 4, axis=0)
    np.testing.assert_allclose(accumulate(video, 0).astype(int), video[0], atol=1)


def test_neighbors_are_aligned_to_the_center() -> None:
    wide = cv2.GaussianBlur(_picture(96, 160), (0, 0), 2)
    video = np.stack([wide[:, 4 * number : 4 * number + 128] for number in range(7)])
    burst = aligned_burst(video, 3)
    assert burst.shape == (7, 96, 128, 3)
    assert np.abs(video[0].astype(float) - video[3]).mean() > 10
    assert np.abs(burst[0] * 255 - video[3]).mean() < 2


def test_the_burst_is_shorter_at_the_ends_of_a_video() -> None:
    video = np.repeat(_picture()[None], 9, axis=0)
    assert [len(aligned_burst(video, number)) for number in (0, 1, 4, 8)] == [4, 5, 7, 4]


def test_what_the_neighbor_does_not_show_stays_the_centers() -> None:
    wide = cv2.GaussianBlur(_picture(96, 160), (0, 0), 2)
    video = np.stack([wide[:, :128], wide[:, 12:140] + 10])
    difference = aligned_burst(video, 0)[1] * 255 - video[0]
    np.testing.assert_allclose(difference[:, :8], 0, atol=0.5)
    assert np.median(difference[:, 40:90]) == pytest.approx(10, abs=1)


def test_merging_black_is_black() -> None:
    assert not merge(np.zeros((3, 64, 64, 3), np.float32)).any()


def test_unsharp_masking_finds_the_strength_that_helps() -> None:
    sharp = np.stack([_picture(seed=seed) for seed in range(2)])
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.0) for frame in sharp])
    chosen = best_unsharp(blurred, sharp, range(2))
    (restored,) = chosen(blurred, range(1, 2))
    assert chosen.amount > 0
    assert measure(restored[0], sharp[1]).psnr > measure(blurred[1], sharp[1]).psnr + 1


def test_unsharp_masking_leaves_sharp_frames_alone() -> None:
    sharp = _picture()[None]
    chosen = best_unsharp(sharp, sharp, range(1))
    assert measure(chosen(sharp, range(1))[0][0], sharp[0]) == Quality(float("inf"), pytest.approx(1))


def test_unsharp_masking_overshoots_at_edges_only() -> None:
    frame = np.full((32, 32, 3), 100, np.uint8)
    frame[:, 16:] = 150
    sharpened = UnsharpRestorer(1.5, 0.8).sharpen(frame)
    assert (sharpened[:, 15] < 100).all()
    assert (sharpened[:, 16] > 150).all()
    assert (sharpened[:, :8] == 100).all()
