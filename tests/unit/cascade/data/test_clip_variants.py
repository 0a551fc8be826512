"""Clips under other conditions: what changes, and what stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cascade.data.clip_variants import at_half_size, coded, held_still, unblurred
from cascade.data.clips import Clip
from cascade.evaluation.metrics import psnr


@pytest.fixture(scope="module")
def clip() -> Clip:
    coarse = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (107, 71), interpolation=cv2.INTER_CUBIC)
    sharp = np.stack([np.roll(scene, number, axis=1) for number in range(5)])
    return Clip("scene", np.stack([cv2.blur(frame, (5, 1)) for frame in sharp]), sharp)


def test_a_coded_clip_loses_more_with_a_higher_factor_and_keeps_its_truth(clip: Clip) -> None:
    fine, coarse = coded(clip, 10), coded(clip, 40)
    assert 20 < psnr(coarse.blurred, clip.blurred) < psnr(fine.blurred, clip.blurred)
    assert (fine.name, fine.blurred.shape) == (clip.name, clip.blurred.shape)
    np.testing.assert_array_equal(coarse.sharp, clip.sharp)


def test_half_size_is_the_mean_of_two_by_two_pixels_of_both_halves(clip: Clip) -> None:
    half = at_half_size(clip)
    for small, frames in ((half.blurred, clip.blurred), (half.sharp, clip.sharp)):
        means = frames[:, :70, :106].reshape(5, 35, 2, 53, 2, 3).mean(axis=(2, 4))
        assert small.dtype == np.uint8
        np.testing.assert_allclose(small, means, atol=0.5)


def test_an_unblurred_clip_has_its_truth_as_input(clip: Clip) -> None:
    np.testing.assert_array_equal(unblurred(clip).blurred, clip.sharp)
    np.testing.assert_array_equal(unblurred(clip).sharp, clip.sharp)


def test_a_clip_that_is_held_still_shows_one_sharp_frame(clip: Clip) -> None:
    still = held_still(clip)
    for frames in (still.blurred, still.sharp):
        np.testing.assert_array_equal(frames, np.stack([clip.sharp[2]] * 5))
