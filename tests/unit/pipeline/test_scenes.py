from itertools import pairwise

import numpy as np

from service.pipeline.scenes import is_cut
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
