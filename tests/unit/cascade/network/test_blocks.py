"""Correlation, warp and prior against their definitions, written the slow way."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from cascade.network.config import Prior
from cascade.network.correlation import correlation
from cascade.network.prior import sharpness_prior
from cascade.network.warp import inside, sampling_grid, warp


@pytest.mark.parametrize("width", [5, 16, 33])
def test_correlation_is_the_inner_product_with_every_displaced_pixel(width: int) -> None:
    first, second = torch.randn(2, 3, 7, width), torch.randn(2, 3, 7, width)
    padded = F.pad(second, (4, 4, 4, 4))
    expected = [
        (first * padded[:, :, dy : dy + 7, dx : dx + width]).sum(dim=1) for dy in range(9) for dx in range(9)
    ]
    torch.testing.assert_close(correlation(first, second), torch.stack(expected, dim=1))


def test_the_mask_is_where_warped_ones_stay_ones() -> None:
    flow = torch.randn(3, 2, 20, 30) * 8
    flow[0] = 0.0
    grid = sampling_grid(flow)
    ones = F.grid_sample(torch.ones(3, 1, 20, 30), grid, padding_mode="zeros", align_corners=True)
    assert torch.equal(inside(grid), (ones >= 0.999).float())
    assert inside(grid)[0].all()


def test_warping_by_whole_pixels_moves_pixels() -> None:
    image = torch.rand(1, 3, 12, 16)
    flow = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 12, 16)
    warped, mask = warp(image, flow, padding="border")
    torch.testing.assert_close(warped[..., 1:, :14], image[..., :-1, 2:], atol=1e-5, rtol=0)
    assert not mask[..., 0, :].any()
    assert not mask[..., 14:].any()
    assert not warped[..., 14:].any()


def test_a_frame_that_agrees_with_its_neighbours_is_sharp_everywhere() -> None:
    centre = torch.rand(2, 3, 10, 12)
    masks = torch.ones(2, 2, 1, 10, 12)
    masks[1, ..., :3] = 0
    for kind in (Prior.RELEASED, Prior.EQUATION):
        prior = sharpness_prior(centre, torch.stack((centre, centre)), masks, kind)
        torch.testing.assert_close(prior[..., 3:], torch.ones(2, 1, 10, 9))
        assert not prior[..., :3].any()


def test_the_released_prior_compares_box_means_and_the_equation_sums_over_the_window() -> None:
    centre, warped = torch.zeros(1, 3, 11, 11), torch.zeros(2, 1, 3, 11, 11)
    warped[0, 0, 0, 5, 5] = 1.0
    masks = torch.ones(2, 1, 1, 11, 11)
    released = sharpness_prior(centre, warped, masks, Prior.RELEASED)[0, 0, 5, 5]
    equation = sharpness_prior(centre, warped, masks, Prior.EQUATION)[0, 0, 5, 5]
    torch.testing.assert_close(released, torch.exp(-torch.tensor(0.5 / 25**2).sqrt()))
    torch.testing.assert_close(equation, torch.exp(torch.tensor(-0.5)))


def test_without_prior_every_pixel_counts_as_sharp() -> None:
    masks = torch.zeros(2, 1, 1, 6, 6)
    prior = sharpness_prior(torch.rand(1, 3, 6, 6), torch.rand(2, 1, 3, 6, 6), masks, Prior.NONE)
    assert torch.equal(prior, torch.ones(1, 1, 6, 6))
