"""What training minimises."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

LEVEL_WEIGHTS = (0.1, 0.1, 0.15, 0.2, 0.3, 0.6)
"""Weights of the end-point errors, coarse to fine; a shallower pyramid takes the last ones."""
_HARD_SHARE = 0.5
_RANDOM_SHARE = 0.1


def l1(restored: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of two tensors of one shape: the paper's loss."""
    return (restored.float() - truth).abs().mean()


def hard_example_l1(restored: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error over the hardest half of the pixels and a random tenth, per image.

    ``restored``, ``truth``: [..., C, H, W]. The released code adds twice this to the plain L1.
    """
    residual = (restored.float() - truth).abs().sum(dim=-3).flatten(0, -3).flatten(1)
    with torch.no_grad():
        count = residual.shape[1]
        threshold = residual.kthvalue(count - int(count * _HARD_SHARE), dim=1, keepdim=True).values
        chosen = (residual > threshold) | (torch.rand_like(residual) < _RANDOM_SHARE)
    return (residual * chosen).mean() / restored.shape[-3]


def fourier_l1(restored: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of the spectra of [..., H, W]: blur is a matter of frequencies, which it weighs alike.

    Real and imaginary parts count each; the transform is orthonormal, so that values compare with `l1`.
    """
    difference = torch.fft.rfft2(restored.float() - truth, norm="ortho")
    return torch.view_as_real(difference).abs().mean()


def end_point_error(flow: Tensor, truth: Tensor) -> Tensor:
    """Mean length, in pixels, of the difference of two flow fields [..., 2, H, W]."""
    return torch.sqrt(((flow.float() - truth) ** 2).sum(dim=-3) + 1e-6).mean()


def multi_scale_end_point_error(levels: Sequence[Tensor], truth: Tensor) -> Tensor:
    """Weighted end-point errors of every pyramid level, in pixels of the frame.

    ``levels``: [M, 2, h, w] coarse to fine, in pixels of the frame; ``truth`` [M, 2, H, W], reduced by area
    averaging to each level's size.
    """
    weights = LEVEL_WEIGHTS[-len(levels) :]
    errors = [
        weight * end_point_error(level, F.interpolate(truth, size=level.shape[-2:], mode="area"))
        for weight, level in zip(weights, levels, strict=True)
    ]
    return torch.stack(errors).sum()
