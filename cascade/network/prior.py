"""The temporal sharpness prior: which pixels of a frame agree with both aligned neighbors."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from cascade.network.config import Prior
from cascade.network.warp import Pair

_WINDOW = 5


def sharpness_prior(center: Tensor, warped: Pair, masks: Pair, kind: Prior) -> Tensor:
    """Computes S in [0, 1], near 1 where a pixel is sharp in all three frames; section 3.3 of the paper.

    ``center`` [B, 3, H, W] and ``warped`` (previous and next, aligned to the center), RGB in [0, 1]; ``masks``
    [B, 1, H, W] each. Returns [B, 1, H, W], without gradient.

    The paper writes ``S = exp(-1/2 sum_j D)``, D the sum of squared differences over a window around the pixel:
    `Prior.EQUATION`. The released code, and so every released checkpoint, takes 5x5 box means m (zeros outside
    counted) first and a root after: ``S = exp(-sqrt(1/2 sum_j |m(warped_j) - m(center)|^2))``: `Prior.RELEASED`.
    Both are zero where a neighbor's sample fell outside its frame.
    """
    both = masks[0] * masks[1]
    if kind is Prior.NONE:
        return torch.ones_like(both)
    difference = torch.cat((warped[0] - center, warped[1] - center), dim=1).detach()
    if kind is Prior.EQUATION:
        squares = (difference**2).sum(dim=1, keepdim=True)
        return torch.exp(-0.5 * _box_mean(squares) * _WINDOW**2) * both
    distance = 0.5 * (_box_mean(difference) ** 2).sum(dim=1, keepdim=True)
    return torch.exp(-torch.sqrt(distance)) * both


def _box_mean(image: Tensor) -> Tensor:
    """Returns the 5x5 box means of [B, C, H, W], with zeros outside counted."""
    return F.avg_pool2d(image, _WINDOW, stride=1, padding=_WINDOW // 2, count_include_pad=True)
