"""Correlation, warp and prior against their definitions, written the slow way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cascade.network.config import LITE, Prior
from cascade.network.correlation import correlation, volume_channels
from cascade.network.prior import sharpness_prior
from cascade.network.restoration import LightRestoration, PixelUnshuffle, RestorationInput
from cascade.network.warp import inside, positions, warp


class Constant(nn.Module):
    """Gives the same whatever it is given."""

    def __init__(self, value: torch.Tensor) -> None:
        super().__init__()
        self.value = value

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.value


def restoration_input() -> RestorationInput:
    """Two centers of 16x16 pixels whose neighbors are valid everywhere."""
    return RestorationInput(
        center=torch.rand(2, 3, 16, 16),
        warped=torch.rand(2, 2, 3, 16, 16),
        masks=torch.ones(2, 2, 1, 16, 16),
        prior=torch.rand(2, 1, 16, 16),
        flow=torch.randn(2, 2, 2, 16, 16),
    )


@pytest.mark.parametrize("width", [5, 16, 33])
@pytest.mark.parametrize("radius", [2, 3, 4])
def test_correlation_is_the_inner_product_with_every_displaced_pixel(width: int, radius: int) -> None:
    first, second = torch.randn(2, 3, 7, width), torch.randn(2, 3, 7, width)
    padded = F.pad(second, (radius,) * 4)
    reach = range(2 * radius + 1)
    expected = [
        (first * padded[:, :, dy : dy + 7, dx : dx + width]).sum(dim=1) for dy in reach for dx in reach
    ]
    torch.testing.assert_close(correlation(first, second, radius), torch.stack(expected, dim=1))
    assert len(expected) == volume_channels(radius)


def test_the_mask_is_where_warped_ones_stay_ones() -> None:
    flow = torch.randn(3, 2, 20, 30) * 8
    flow[0] = 0.0
    x, y = positions(flow)
    grid = torch.cat((x * (2 / 29) - 1, y * (2 / 19) - 1), dim=1).permute(0, 2, 3, 1)
    ones = F.grid_sample(torch.ones(3, 1, 20, 30), grid, padding_mode="zeros", align_corners=True)
    assert torch.equal(inside(x, y), (ones >= 0.999).float())
    assert inside(x, y)[0].all()


@pytest.mark.parametrize("padding", ["border", "zeros"])
def test_samples_are_those_of_the_reference_which_counts_from_pixel_centers(padding: str) -> None:
    image, flow = torch.rand(2, 3, 20, 30), torch.randn(2, 2, 20, 30) * 4
    x, y = positions(flow)
    grid = torch.cat((x * (2 / 29) - 1, y * (2 / 19) - 1), dim=1).permute(0, 2, 3, 1)
    expected = F.grid_sample(image, grid, padding_mode=padding, align_corners=True)
    warped, mask = warp(image, flow, padding)
    torch.testing.assert_close(warped, expected * mask, atol=1e-5, rtol=0)
    assert 0 < mask.sum() < mask.numel()


def test_warping_by_whole_pixels_moves_pixels() -> None:
    image = torch.rand(1, 3, 12, 16)
    flow = torch.tensor([2.0, -1.0]).view(1, 2, 1, 1).expand(1, 2, 12, 16)
    warped, mask = warp(image, flow, padding="border")
    torch.testing.assert_close(warped[..., 1:, :14], image[..., :-1, 2:], atol=1e-5, rtol=0)
    assert not mask[..., 0, :].any()
    assert not mask[..., 14:].any()
    assert not warped[..., 14:].any()


def test_positions_are_not_rounded_under_autocast() -> None:
    # Stripes of one pixel: sampled in between, their brightness tells the position. 640 pixels have no place in eight
    # bits: rounded to bfloat16, positions would be pixels off.
    image = (torch.arange(640) % 2).float().expand(1, 3, 8, 640)
    flow = torch.rand(1, 2, 8, 640) * 6 - 3
    expected, expected_mask = warp(image, flow, padding="border")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        warped, mask = warp(image.bfloat16(), flow, padding="border")

    assert warped.dtype == torch.bfloat16
    assert torch.equal(mask.float(), expected_mask)
    torch.testing.assert_close(warped.float(), expected, atol=0.01, rtol=0)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_images_and_positions_are_sampled_in_single_precision(
    kind: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = []
    sample = F.grid_sample

    def recorded(image: torch.Tensor, grid: torch.Tensor, **options: Any) -> torch.Tensor:
        kinds.append((image.dtype, grid.dtype))
        return sample(image, grid, **options)

    monkeypatch.setattr(F, "grid_sample", recorded)
    warp(torch.rand(1, 3, 8, 8).to(kind), torch.rand(1, 2, 8, 8).to(kind), padding="zeros")

    assert kinds == [(torch.float32, torch.float32)]


def test_the_fixed_convolution_is_a_pixel_unshuffle() -> None:
    images = torch.randn(2, 5, 6, 8)
    unshuffle = PixelUnshuffle(5)

    assert torch.equal(unshuffle(images), F.pixel_unshuffle(images, 2))
    assert not unshuffle.state_dict()


def test_neighbors_are_weighted_by_a_softmax_over_the_three_frames() -> None:
    x = restoration_input()
    restoration = LightRestoration(LITE.restoration)
    out = torch.randn(2, 24, 8, 8) * 30
    restoration.body = Constant(out)  # type: ignore[assignment]

    full = F.pixel_shuffle(out, 2)
    weights = torch.softmax(full[:, 3:] + torch.tensor((0.0, 3.0, 0.0)).view(1, 3, 1, 1), dim=1)
    frames = torch.stack((x.warped[0], x.center, x.warped[1]), dim=1)
    expected = (frames * weights.unsqueeze(2)).sum(dim=1) + full[:, :3]
    torch.testing.assert_close(restoration(x), expected)


@pytest.mark.parametrize("at_half", [False, True])
def test_the_center_is_sampled_along_its_motion(at_half: bool) -> None:
    """Moving right by 8 px a frame, at four points: the brightness 4 and 2 px to the left and to the right."""
    ramp = torch.arange(64.0).expand(1, 3, 16, 64) / 64
    shift = torch.tensor([8.0, 0.0]).view(1, 2, 1, 1).expand(1, 2, 16, 64)
    nothing = torch.zeros(2, 1, 3, 16, 64)
    x = RestorationInput(ramp, nothing, nothing[:, :, :1], nothing[0, :, :1], torch.stack((-shift, shift)))
    restoration = LightRestoration(replace(LITE.restoration, along_at_half=at_half))
    seen: list[torch.Tensor] = []
    restoration.body.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    restoration(x)

    along = seen[0][:, 40:-4, :, 8:-8].mean(dim=(0, 2, 3))
    expected = torch.tensor([-4.0, -2.0, 2.0, 4.0]) / 64
    torch.testing.assert_close(along, expected if at_half else expected.repeat_interleave(4))


def test_a_frame_that_agrees_with_its_neighbors_is_sharp_everywhere() -> None:
    center = torch.rand(2, 3, 10, 12)
    masks = torch.ones(2, 2, 1, 10, 12)
    masks[1, ..., :3] = 0
    for kind in (Prior.RELEASED, Prior.EQUATION):
        prior = sharpness_prior(center, torch.stack((center, center)), masks, kind)
        torch.testing.assert_close(prior[..., 3:], torch.ones(2, 1, 10, 9))
        assert not prior[..., :3].any()


def test_the_released_prior_compares_box_means_and_the_equation_sums_over_the_window() -> None:
    center, warped = torch.zeros(1, 3, 11, 11), torch.zeros(2, 1, 3, 11, 11)
    warped[0, 0, 0, 5, 5] = 1.0
    masks = torch.ones(2, 1, 1, 11, 11)
    released = sharpness_prior(center, warped, masks, Prior.RELEASED)[0, 0, 5, 5]
    equation = sharpness_prior(center, warped, masks, Prior.EQUATION)[0, 0, 5, 5]
    torch.testing.assert_close(released, torch.exp(-torch.tensor(0.5 / 25**2).sqrt()))
    torch.testing.assert_close(equation, torch.exp(torch.tensor(-0.5)))


def test_without_prior_every_pixel_counts_as_sharp() -> None:
    masks = torch.zeros(2, 1, 1, 6, 6)
    prior = sharpness_prior(torch.rand(1, 3, 6, 6), torch.rand(2, 1, 3, 6, 6), masks, Prior.NONE)
    assert torch.equal(prior, torch.ones(1, 1, 6, 6))
