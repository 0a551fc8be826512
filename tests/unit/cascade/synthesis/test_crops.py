"""Crops of photographs and masks of foreground objects."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cascade.synthesis.crops import random_crop
from cascade.synthesis.masks import MARGIN, random_mask


def half_textured() -> np.ndarray:
    """Clear sky on the left, leaves on the right."""
    rng = np.random.default_rng(0)
    photo = np.full((400, 600, 3), 120, np.uint8)
    photo[:, 300:] = rng.integers(0, 256, (400, 300, 3))
    return photo


def test_crops_have_the_size_that_was_asked_for_and_prefer_detail() -> None:
    photo = half_textured()
    pieces = [random_crop([photo], (60, 90), np.random.default_rng(seed)) for seed in range(40)]
    assert {piece.shape for piece in pieces} == {(60, 90, 3)}
    assert np.mean([piece.std() > 10 for piece in pieces]) > 0.9


def neighbors_alike(piece: np.ndarray) -> float:
    """Correlation of horizontal neighbors: none in noise, and much in noise that was enlarged."""
    values = piece.mean(axis=-1)
    return float(np.corrcoef(values[:, 1:].ravel(), values[:, :-1].ravel())[0, 1])


def test_a_photograph_is_never_enlarged() -> None:
    noise = half_textured()[:, 300:]
    assert neighbors_alike(cv2.resize(noise, None, fx=1.5, fy=1.5)) > 0.4
    for seed in range(20):
        assert neighbors_alike(random_crop([noise], (200, 250), np.random.default_rng(seed))) < 0.3


def test_a_photograph_smaller_than_the_piece_is_continued_by_its_mirror_image() -> None:
    noise = half_textured()[:50, 300:360]
    piece = random_crop([noise], (200, 200), np.random.default_rng(0)).astype(int)
    assert piece.shape == (200, 200, 3)
    for axis in (0, 1):
        steps = np.abs(np.diff(piece, axis=axis)).sum(axis=(1 - axis, 2))
        assert (steps == 0).sum() >= 3  # where it meets its mirror image


def test_every_photograph_is_drawn_as_often_whatever_its_detail() -> None:
    plain = np.full((200, 200, 3), 10, np.uint8)
    rng = np.random.default_rng(1)
    pieces = [random_crop([plain, half_textured()], (40, 40), rng) for _ in range(200)]
    assert 0.4 < np.mean([piece.max() == 10 for piece in pieces]) < 0.6


def test_soft_pieces_are_hardly_reduced() -> None:
    """Neighbors in smooth noise are the more alike, the less it is reduced."""
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (900, 900, 3)), (0, 0), 2.0)
    photo = np.clip(128 + 50 * noise / noise.std(), 0, 255).astype(np.uint8)

    def alike(soft_share: float) -> float:
        rng = np.random.default_rng(1)
        return float(
            np.mean([neighbors_alike(random_crop([photo], (80, 80), rng, soft_share)) for _ in range(12)])
        )

    assert alike(1.0) > alike(0.0) + 0.2


@pytest.mark.parametrize("seed", range(12))
def test_masks_are_soft_shapes_that_keep_clear_of_the_edge(seed: int) -> None:
    mask = random_mask((50, 80), np.random.default_rng(seed))
    assert mask.shape == (50, 80)
    assert mask.max() > 0.9
    assert mask.min() == 0.0
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert border.max() < 0.05
    assert np.any((mask > 0.2) & (mask < 0.8))
    assert min(mask.shape) > 2 * MARGIN
