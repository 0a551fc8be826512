"""What training minimizes, on values small enough to work out."""

from __future__ import annotations

import math

import pytest
import torch

from cascade.training import losses


def test_the_hard_example_loss_looks_at_the_worst_half() -> None:
    torch.manual_seed(0)
    truth = torch.zeros(1, 1, 3, 10, 10)
    restored = truth.clone()
    restored[..., :4, :] = 1.0  # 40 of 100 pixels are wrong, by 1 in each channel
    assert losses.hard_example_l1(restored, truth).item() == pytest.approx(0.4)
    assert losses.l1(restored, truth).item() == pytest.approx(0.4)


def test_levels_of_a_perfect_flow_have_no_error() -> None:
    truth = torch.tensor([3.0, -1.0]).view(1, 2, 1, 1).expand(2, 2, 32, 32)
    levels = [truth[..., :8, :8], truth[..., :16, :16]]
    assert losses.multi_scale_end_point_error(levels, truth).item() < 2e-3


def test_decibels_weigh_images_alike_and_flatten_where_they_are_nearly_right() -> None:
    truth = torch.zeros(2, 3, 8, 8)
    bad = truth.clone()
    bad[0] += 0.1
    expected = 10 * (math.log10(0.01 + 3e-4) + math.log10(3e-4)) / 2
    assert losses.decibels(bad, truth).item() == pytest.approx(expected, rel=1e-5)
    improvements = [
        (losses.decibels(truth + a, truth) - losses.decibels(truth + a / 2, truth)).item()
        for a in (0.1, 0.001)
    ]
    assert improvements[0] > 5 > 0.1 > improvements[1] > 0


def test_the_fourier_loss_sees_one_frequency_wherever_it_lies() -> None:
    wave = torch.cos(torch.arange(16) * (2 * torch.pi * 3 / 16)).expand(1, 1, 16, 16)
    truth = torch.zeros(1, 1, 16, 16)
    # An orthonormal transform of a cosine: 16 / 2 in one of the 16 x 9 complex coefficients that are kept.
    assert losses.fourier_l1(wave, truth).item() == pytest.approx(8 / (16 * 9 * 2), rel=1e-4)
    shifted = losses.fourier_l1(wave.roll(4, dims=-1), truth).item()
    assert shifted == pytest.approx(8 / (16 * 9 * 2), rel=1e-4)
    assert losses.fourier_l1(wave, wave).item() == 0
