"""What flow networks share: features, resizing, and the interface.

`PwcNet` and `LightFlow` have the same interface, which lets a window compute every frame's
features once and use them for both directions:

- ``encode(frames)``: frames [M, 3, H, W] in [0, 1] to a pyramid of features;
- ``decode(first, second, size)``: pairs of pyramids to a `FlowPrediction` on the first frames' pixel grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.1
"""Of LeakyReLU below zero."""
_MULTIPLE = 64
"""Frames are resized to the next multiple of this in each dimension, as the reference does."""

Pyramid = list[Tensor]
"""Features [M, C, h, w] per level, finest first."""


@dataclass
class FlowPrediction:
    """The flow of M pairs of frames."""

    flow: Tensor
    """[M, 2, H, W] in pixels of the frame: u right, v down."""
    levels: list[Tensor]
    """Every level's estimate [M, 2, h, w], coarse to fine, in pixels of the *frame*: what the losses read."""


def network_size(size: tuple[int, int], downscale: int = 1) -> tuple[int, int]:
    """Returns the (height, width) that a frame of ``size`` is resized to before the pyramid."""
    h, w = size
    return (
        (h + _MULTIPLE - 1) // _MULTIPLE * _MULTIPLE // downscale,
        (w + _MULTIPLE - 1) // _MULTIPLE * _MULTIPLE // downscale,
    )


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resizes ``image`` [M, C, h, w] to ``size`` (height, width): bilinear, align_corners=False."""
    return F.interpolate(image, size=size, mode="bilinear", align_corners=False)


def resize_flow(flow: Tensor, size: tuple[int, int], unit: tuple[int, int]) -> Tensor:
    """Resizes ``flow`` [M, 2, h, w] to the grid of ``size`` (height, width), and scales it to that grid's pixels.

    ``flow`` is in pixels of an image of ``unit`` (height, width), whatever its own grid.
    """
    scaled = resize(flow, size)
    return torch.cat((scaled[:, :1] * (size[1] / unit[1]), scaled[:, 1:] * (size[0] / unit[0])), dim=1)


def conv(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Builds a 3x3 convolution and LeakyReLU(0.1), the unit that flow networks are made of."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation), nn.LeakyReLU(SLOPE)
    )


class FeaturePyramid(nn.Module):
    """Computes features of frames at several scales; each level halves the size by ``depth`` convolutions."""

    def __init__(self, channels: Sequence[int], depth: int) -> None:
        super().__init__()
        inputs = (3, *channels[:-1])
        self.levels = nn.ModuleList(
            nn.Sequential(conv(i, o, stride=2), *(conv(o, o) for _ in range(depth - 1)))
            for i, o in zip(inputs, channels, strict=True)
        )

    def forward(self, frames: Tensor) -> Pyramid:
        """``frames`` [M, 3, H, W], H and W multiples of 2 to the number of levels."""
        pyramid = []
        for level in self.levels:
            frames = level(frames)
            pyramid.append(frames)
        return pyramid
