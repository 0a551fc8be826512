"""Sampling one image where a flow field points."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_VALID = 0.999
"""A sample counts as inside the image when its bilinear weights there sum to at least this."""


def sampling_grid(flow: Tensor) -> Tensor:
    """Pixel positions plus ``flow`` [B, 2, H, W] (u right, v down, pixels), in grid_sample's [-1, 1] coordinates.

    Returns [B, H, W, 2]. Always float32: half precision cannot tell neighbouring pixels of a wide frame apart.
    """
    h, w = flow.shape[-2:]
    flow = flow.float()
    x = torch.arange(w, device=flow.device, dtype=torch.float32).view(1, 1, w) + flow[:, 0]
    y = torch.arange(h, device=flow.device, dtype=torch.float32).view(1, h, 1) + flow[:, 1]
    return torch.stack((x * (2 / (w - 1)) - 1, y * (2 / (h - 1)) - 1), dim=-1)


def inside(grid: Tensor) -> Tensor:
    """1 where the sample lies inside the image, else 0: float [B, 1, H, W].

    The reference samples an image of ones with zero padding and compares with 0.999. Those weights are the product
    of how far, per axis and in pixels, the position lies inside; computing that directly saves the second sampling.
    """
    h, w = grid.shape[1], grid.shape[2]
    overlap = [1 - F.relu(grid[..., axis].abs() - 1) * ((size - 1) / 2) for axis, size in ((0, w), (1, h))]
    weight = F.relu(overlap[0]) * F.relu(overlap[1])
    return (weight >= _VALID).to(grid.dtype).unsqueeze(1)


def warp(image: Tensor, flow: Tensor, padding: str) -> tuple[Tensor, Tensor]:
    """Bilinear samples of ``image`` [B, C, H, W] at x + ``flow`` [B, 2, H, W] (pixels), and where they are valid.

    ``padding`` is grid_sample's: "border" for images, "zeros" for features. Returns ([B, C, H, W] already
    multiplied by the mask, mask [B, 1, H, W] of 0 and 1).
    """
    grid = sampling_grid(flow)
    mask = inside(grid).to(image.dtype)
    sampled = F.grid_sample(
        image, grid.to(image.dtype), mode="bilinear", padding_mode=padding, align_corners=True
    )
    return sampled * mask, mask
