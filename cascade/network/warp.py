"""Sampling one image where a flow field points."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_VALID = 0.999
"""A sample counts as inside the image when its bilinear weights there sum to at least this."""


def sampling_grid(flow: Tensor) -> Tensor:
    """Adds ``flow`` [B, 2, H, W] (u right, v down, pixels) to pixel positions, in grid_sample's [-1, 1] coordinates.

    Returns [B, H, W, 2]. Always float32: half precision cannot tell neighboring pixels of a wide frame apart.
    """
    h, w = flow.shape[-2:]
    flow = flow.float()
    x = torch.arange(w, device=flow.device, dtype=torch.float32).view(1, 1, w) + flow[:, 0]
    y = torch.arange(h, device=flow.device, dtype=torch.float32).view(1, h, 1) + flow[:, 1]
    return torch.stack((x * (2 / (w - 1)) - 1, y * (2 / (h - 1)) - 1), dim=-1)


def inside(grid: Tensor) -> Tensor:
    """Marks the samples of ``grid`` [B, H, W, 2] that lie inside the image: float [B, 1, H, W], 1 there, else 0.

    The reference samples an image of ones with zero padding and compares with 0.999. Those weights are the product
    of how far, per axis and in pixels, the position lies inside; computing that directly saves the second sampling.
    """
    h, w = grid.shape[1], grid.shape[2]
    overlap = [1 - F.relu(grid[..., axis].abs() - 1) * ((size - 1) / 2) for axis, size in ((0, w), (1, h))]
    weight = F.relu(overlap[0]) * F.relu(overlap[1])
    return (weight >= _VALID).to(grid.dtype).unsqueeze(1)


def warp(image: Tensor, flow: Tensor, padding: str) -> tuple[Tensor, Tensor]:
    """Samples ``image`` [B, C, H, W] bilinearly at x + ``flow`` [B, 2, H, W] (pixels).

    ``padding`` is grid_sample's: "border" for images, "zeros" for features. Returns the samples [B, C, H, W], zero
    where they are not valid, and the mask [B, 1, H, W], 1 where they are valid and else 0, both of the image's dtype.
    Sampling itself is done in float32 whatever the image's dtype: under autocast in bfloat16, positions of a frame 128
    pixels wide would be off by up to a quarter of a pixel.
    """
    grid = sampling_grid(flow)
    mask = inside(grid).to(image.dtype)
    sampled = F.grid_sample(image.float(), grid, mode="bilinear", padding_mode=padding, align_corners=True)
    return sampled.to(image.dtype) * mask, mask
