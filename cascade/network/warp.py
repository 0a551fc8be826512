"""Sampling one image where a flow field points."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

Pair = tuple[Tensor, Tensor] | Tensor
"""What there is of the previous and of the next frame: [B, C, H, W] each."""

_VALID = 0.999
"""A sample counts as inside the image when its bilinear weights there sum to at least this."""


def positions(flow: Tensor) -> tuple[Tensor, Tensor]:
    """Adds ``flow`` [B, 2, H, W] (u right, v down, pixels) to the pixels' own positions: x and y, [B, 1, H, W] each.

    Always float32: half precision cannot tell neighboring pixels of a wide frame apart.
    """
    h, w = flow.shape[-2:]
    flow = flow.float()
    x = torch.arange(w, device=flow.device, dtype=torch.float32).view(1, 1, 1, w) + flow[:, :1]
    y = torch.arange(h, device=flow.device, dtype=torch.float32).view(1, 1, h, 1) + flow[:, 1:]
    return x, y


def inside(x: Tensor, y: Tensor) -> Tensor:
    """Marks the positions [B, 1, H, W], in pixels, that lie inside the image: float [B, 1, H, W], 1 there, else 0.

    The reference samples an image of ones with zero padding and compares with 0.999. Those weights are the product
    of how far, per axis and in pixels, the position lies inside; computing that directly saves the second sampling.
    """
    h, w = x.shape[-2:]
    return (_overlap(x, w) * _overlap(y, h) >= _VALID).to(x.dtype)


def _overlap(at: Tensor, size: int) -> Tensor:
    """Returns how much of a pixel at ``at`` lies among ``size`` pixels; by way of the reference's coordinates, whose
    rounding decides at the edge."""
    outside = F.relu((at * (2 / (size - 1)) - 1).abs() - 1)
    return F.relu(1 - outside * ((size - 1) / 2))


def warp(image: Tensor, flow: Tensor, padding: str) -> tuple[Tensor, Tensor]:
    """Samples ``image`` [B, C, H, W] bilinearly at x + ``flow`` [B, 2, H, W] (pixels).

    ``padding`` is grid_sample's: "border" for images, "zeros" for features. Returns the samples [B, C, H, W], zero
    where they are not valid, and the mask [B, 1, H, W], 1 where they are valid and else 0, both of the image's dtype.
    Sampling itself is done in float32 whatever the image's dtype: under autocast in bfloat16, positions of a frame 128
    pixels wide would be off by up to a quarter of a pixel.
    """
    x, y = positions(flow)
    mask = inside(x, y).to(image.dtype)
    if padding == "border":
        h, w = flow.shape[-2:]
        x, y = x.clamp(0, w - 1), y.clamp(0, h - 1)
    sampled = _sample(image.float(), x, y)
    return sampled.to(image.dtype) * mask, mask


def _sample(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Samples ``image`` [B, C, H, W] at the positions [B, 1, H, W], in pixels; zero is outside of it.

    In the coordinates of align_corners=False, -1 and 1 are the outer edges of the outermost pixels. That, with padding
    by zeros, is what ONNX Runtime has a fast kernel for: two to six times as fast as its others.
    """
    h, w = image.shape[-2:]
    grid = torch.cat((x * (2 / w) + (1 / w - 1), y * (2 / h) + (1 / h - 1)), dim=1)
    return F.grid_sample(
        image, grid.permute(0, 2, 3, 1), mode="bilinear", padding_mode="zeros", align_corners=False
    )
