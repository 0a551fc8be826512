"""Flicker: errors that stay on the scene do not count, errors that come and go do."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cascade.evaluation.flicker import Frames, flicker

SHIFT = 3
"""Pixels that the scene moves to the left from frame to frame."""


@pytest.fixture(scope="module")
def truth() -> Frames:
    """A detailed scene of middle gray, four frames of it, moving."""
    coarse = np.random.default_rng(0).integers(60, 196, (24, 48, 3), dtype=np.uint8)
    scene = cv2.resize(coarse, (240, 120), interpolation=cv2.INTER_CUBIC)
    return _moving(scene)


def _moving(scene: Frames) -> Frames:
    return np.stack([scene[:, SHIFT * number : SHIFT * number + 200] for number in range(4)])


def test_the_truth_and_a_steady_error_do_not_flicker(truth: Frames) -> None:
    values = flicker({"truth": truth, "brighter": truth + np.uint8(20)}, truth)
    assert values == {"truth": 0.0, "brighter": pytest.approx(0.0, abs=1e-4)}


def test_an_error_that_comes_and_goes_is_measured_in_levels(truth: Frames) -> None:
    alternating = truth.copy()
    alternating[1::2] += 12
    assert flicker({"restored": alternating}, truth)["restored"] == pytest.approx(12, abs=1e-3)


def test_an_error_that_moves_with_the_scene_counts_less_than_one_that_stays(truth: Frames) -> None:
    stripes = np.zeros((120, 240, 3), np.uint8)
    stripes[:, (np.arange(240) // 6) % 2 == 0] = 24
    moving, standing = truth + _moving(stripes), truth + stripes[:, :200]
    values = flicker({"moving": moving, "standing": standing}, truth)
    assert values["moving"] < 2
    assert values["standing"] > 10


def test_one_frame_has_no_flicker(truth: Frames) -> None:
    assert flicker({"restored": truth[:1]}, truth[:1]) == {}
