from itertools import pairwise

import numpy as np

from service.pipeline.scenes import coarse, is_cut
from tests.support.clips import moving_picture


def test_another_scene_is_a_cut() -> None:
    assert is_cut(moving_picture(4), moving_picture(5, scene=1))


def test_motion_within_a_scene_is_no_cut() -> None:
    assert not any(is_cut(moving_picture(n), moving_picture(n + 1)) for n in range(20))


def test_a_violent_shake_is_no_cut() -> None:
    assert not is_cut(moving_picture(0, 320, 240), np.roll(moving_picture(0, 320, 240), (30, 40), (0, 1)))


def test_a_slow_fade_is_no_cut() -> None:
    picture = moving_picture(0).astype(np.float32)
    faded = [(picture * (1 - step / 25)).astype(np.uint8) for step in range(26)]

    assert not any(is_cut(before, after) for before, after in pairwise(faded))


def test_a_still_picture_is_no_cut() -> None:
    assert not is_cut(moving_picture(0), moving_picture(0))


def test_an_exposure_that_jumps_is_no_cut() -> None:
    picture = moving_picture(0, 320, 240).astype(np.float32)

    assert not is_cut((picture * 0.5).astype(np.uint8), (picture * 0.8 + 40).astype(np.uint8))


def test_another_scene_of_the_same_brightness_is_a_cut() -> None:
    """Red and blue change places, green only its place."""
    before = moving_picture(0, 320, 240)
    after = np.ascontiguousarray(before[::-1, ::-1, ::-1])
    after[..., 0] //= 2

    assert is_cut(before, after)


def test_a_coarse_picture_has_the_mean_of_each_block() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (83, 101, 3), np.uint8)

    means = [
        [picture[y : y + 8, x : x + 8].mean(axis=(0, 1)) for x in range(0, 96, 8)] for y in range(0, 80, 8)
    ]

    assert np.array_equal(coarse(picture), means)
