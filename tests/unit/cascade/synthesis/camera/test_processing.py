"""What phones do to their pictures: less noise, sharper edges, limited halos, the same colors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cascade.synthesis.camera.processing import CameraProcessing, random_processing

NEUTRAL = CameraProcessing(
    noise_levels=0.01,
    noise_radius=1.0,
    chroma_radius=0.3,
    sharpening=0.0,
    sharpening_radius=1.0,
    overshoot=20.0,
)


def edge(noise: float = 0.0) -> np.ndarray:
    """A step from 80 to 170 in the middle, with noise in levels."""
    picture = np.full((60, 80, 3), 80.0)
    picture[:, 40:] = 170.0
    picture += np.random.default_rng(0).normal(0, noise, picture.shape[:2])[..., None] if noise else 0.0
    return picture.round().astype(np.uint8)


def test_a_camera_that_does_nothing_returns_the_picture_as_it_is() -> None:
    picture = edge(4.0)
    assert np.abs(NEUTRAL(picture).astype(int) - picture).max() <= 1


def test_noise_is_removed_and_the_edge_stays() -> None:
    clean = replace(NEUTRAL, noise_levels=6.0, noise_radius=1.5)(edge(2.0)).astype(float)
    assert clean[:, 4:30].std() < 0.75 * edge(2.0)[:, 4:30].std()
    assert clean[:, 41:43].mean() - clean[:, 37:39].mean() > 75


def test_sharpening_overshoots_at_an_edge_by_no_more_than_its_limit() -> None:
    strong = replace(NEUTRAL, sharpening=1.4, sharpening_radius=1.5)
    free, limited = (replace(strong, overshoot=limit)(edge()).astype(int) for limit in (60.0, 10.0))
    assert free.max() > 190
    assert 178 <= limited.max() <= 181


def test_color_is_smoothed_more_than_brightness() -> None:
    noise = np.random.default_rng(1).integers(60, 190, (64, 64, 3)).astype(np.uint8)
    smooth = replace(NEUTRAL, chroma_radius=2.5)(noise).astype(float)

    def color(picture: np.ndarray) -> float:
        return float((picture[..., 0] - picture[..., 1].astype(float)).std())

    assert color(smooth) < 0.5 * color(noise.astype(float))
    assert smooth.mean(axis=-1).std() > 0.5 * noise.mean(axis=-1).std()


@pytest.mark.parametrize("seed", range(8))
def test_any_camera_keeps_plain_surfaces_and_black_and_white(seed: int) -> None:
    camera = random_processing(np.random.default_rng(seed))
    for color in ((0, 0, 0), (255, 255, 255), (200, 60, 30)):
        plain = np.full((20, 30, 3), color, np.uint8)
        assert np.abs(camera(plain).astype(int) - plain).max() <= 2
