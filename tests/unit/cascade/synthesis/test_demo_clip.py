"""The demonstration clip."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from skimage import data

from cascade.synthesis.demo_clip import render_demo_clip

Clip = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def clip() -> Clip:
    return render_demo_clip(data.coffee(), frames=24, height=180, width=320, seed=0)


def test_the_clip_has_both_halves_in_full(clip: Clip) -> None:
    for half in clip:
        assert half.shape == (24, 180, 320, 3)
        assert half.dtype == np.uint8


def test_some_frames_are_sharp_and_others_strongly_blurred(clip: Clip) -> None:
    blurred, sharp = clip
    detail = [
        cv2.Laplacian(b, cv2.CV_32F).std() / cv2.Laplacian(s, cv2.CV_32F).std()
        for b, s in zip(*clip, strict=True)
    ]
    assert np.mean(np.array(detail) > 0.9) > 0.2
    assert np.mean(np.array(detail) < 0.6) > 0.3
    assert len(blurred) == len(sharp)


def test_the_camera_moves_smoothly_without_cuts(clip: Clip) -> None:
    _, sharp = clip
    for before, after in pairwise(sharp):
        shift, _ = cv2.phaseCorrelate(
            cv2.cvtColor(before, cv2.COLOR_RGB2GRAY).astype(np.float64),
            cv2.cvtColor(after, cv2.COLOR_RGB2GRAY).astype(np.float64),
        )
        assert np.hypot(*shift) < 25


def test_the_border_of_the_photograph_is_never_seen() -> None:
    photo = np.full((200, 300, 3), 128, np.uint8)
    photo[:1], photo[-1:], photo[:, :1], photo[:, -1:] = 0, 0, 0, 0
    _, sharp = render_demo_clip(photo, frames=8, height=90, width=160, seed=3)
    assert sharp.min() > 120


def test_the_seed_decides_the_clip() -> None:
    first, second, other = (
        render_demo_clip(data.coffee(), frames=3, height=72, width=128, seed=seed)[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
