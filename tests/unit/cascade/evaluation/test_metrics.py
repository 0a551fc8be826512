"""The evaluation protocol's measures, against values that were computed independently."""

from __future__ import annotations

import numpy as np
import pytest

from cascade.evaluation.metrics import crop_to_multiple, measure, protocol_crop, psnr, quantize, ssim


def pair(seed: int, height: int = 61, width: int = 83) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 255, width)[None, :, None] * np.array([1.0, 0.7, 0.4])
    truth = np.clip(ramp + rng.normal(0, 30, (height, width, 3)), 0, 255)
    noisy = np.clip(truth + rng.normal(0, 12, truth.shape), 0, 255)
    return noisy.astype(np.uint8), truth.astype(np.uint8)


@pytest.mark.parametrize(
    ("seed", "expected_psnr", "expected_ssim"),
    [
        (0, 26.84582198120941, 0.9194507210653936),
        (1, 26.962054049767346, 0.9205248677184646),
        (2, 26.80011402393887, 0.9203054119381605),
    ],
)
def test_figures_stay_comparable_with_those_that_are_published(
    seed: int, expected_psnr: float, expected_ssim: float
) -> None:
    # Measured by an independent implementation: sums in float64, OpenCV's Gaussian, windows inside only.
    quality = measure(*pair(seed))
    assert quality.psnr == pytest.approx(expected_psnr, abs=1e-9)
    assert quality.ssim == pytest.approx(expected_ssim, abs=1e-7)


def test_without_a_crop_the_whole_picture_is_measured() -> None:
    noisy, truth = pair(0)
    assert psnr(noisy, truth) == pytest.approx(26.938045701380034, abs=1e-9)
    assert ssim(noisy, truth) == pytest.approx(0.9183363784997081, abs=1e-7)


def test_equal_pictures_are_perfect() -> None:
    _, truth = pair(0)
    assert psnr(truth, truth) == float("inf")
    assert ssim(truth, truth) == pytest.approx(1.0, abs=1e-12)


def test_one_level_off_everywhere_is_48_db() -> None:
    flat = np.full((20, 20, 3), 100, np.uint8)
    assert psnr(flat, flat + np.uint8(1)) == pytest.approx(48.1308, abs=1e-4)


def test_the_border_does_not_count() -> None:
    _, truth = pair(3)
    spoiled = truth.copy()
    spoiled[:4], spoiled[-4:], spoiled[:, :4], spoiled[:, -4:] = 0, 0, 0, 0
    assert measure(spoiled, truth).psnr == float("inf")


def test_crops_keep_the_top_left_and_the_middle() -> None:
    frames = np.arange(2 * 10 * 15 * 3).reshape(2, 10, 15, 3)
    np.testing.assert_array_equal(crop_to_multiple(frames), frames[:, :8, :12])
    np.testing.assert_array_equal(protocol_crop(frames), frames[:, 4:6, 4:11])


def test_quantizing_rounds_and_clamps() -> None:
    levels = quantize(np.array([-0.1, 0.4999 / 255, 0.5001 / 255, 1.0, 1.7]))
    assert levels.tolist() == [0, 0, 1, 255, 255]


def test_shapes_and_sizes_that_cannot_be_measured_are_errors() -> None:
    small = np.zeros((10, 30, 3), np.uint8)
    with pytest.raises(ValueError, match="shapes differ"):
        psnr(small, small[:5])
    with pytest.raises(ValueError, match="11x11"):
        ssim(small, small)
    with pytest.raises(ValueError, match="nothing inside"):
        protocol_crop(small[:8])
