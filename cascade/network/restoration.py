"""The encoder-decoder that restores the centre frame from the aligned frames and the sharpness prior."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cascade.network.config import RestorationConfig
from cascade.network.warp import warp

_FLOW_UNIT = 16.0
"""Pixels of flow that count as 1 for the light network's input."""
_ALONG = (-0.5, -0.25, 0.25, 0.5)
"""Where the centre frame is looked at along its motion, in frame intervals: a shutter that is open all the time blurs
from -0.5 to 0.5."""


@dataclass
class RestorationInput:
    """What a stage knows about a centre frame before restoring it; all on the frame's pixel grid."""

    centre: Tensor
    """[B, 3, H, W] RGB in [0, 1]."""
    warped: Tensor
    """[2, B, 3, H, W]: previous and next frame aligned to the centre, zero where they do not reach."""
    masks: Tensor
    """[2, B, 1, H, W]: 1 where the aligned frames are valid, else 0."""
    prior: Tensor
    """[B, 1, H, W]: the temporal sharpness prior S."""
    flow: Tensor
    """[2, B, 2, H, W]: flow from the centre to the previous and the next frame, in pixels."""


class ResidualBlock(nn.Module):
    """conv-ReLU-conv plus identity; no batch norm, no activation after the sum."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)
        self.conv2 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))  # type: ignore[no-any-return]


def _blocks(channels: int, kernel: int, count: int) -> list[nn.Module]:
    return [ResidualBlock(channels, kernel) for _ in range(count)]


class EncoderDecoder(nn.Module):
    """Two strided levels down, two transposed levels up, skips by addition.

    ``inputs`` [B, inputs, H, W], H and W multiples of 4, to [B, outputs, H, W].
    """

    def __init__(self, inputs: int, outputs: int, config: RestorationConfig, kernel: int) -> None:
        super().__init__()
        a, b, c = config.channels
        (n, m, k), pad = config.blocks, kernel // 2
        self.enter = nn.Sequential(
            nn.Conv2d(inputs, a, kernel, padding=pad), nn.ReLU(), *_blocks(a, kernel, n)
        )
        self.down1 = nn.Sequential(nn.Conv2d(a, b, kernel, 2, pad), nn.ReLU(), *_blocks(b, kernel, m))
        self.down2 = nn.Sequential(nn.Conv2d(b, c, kernel, 2, pad), nn.ReLU(), *_blocks(c, kernel, k))
        self.up2 = nn.Sequential(*_blocks(c, kernel, k), nn.ConvTranspose2d(c, b, 3, 2, 1, 1), nn.ReLU())
        self.up1 = nn.Sequential(*_blocks(b, kernel, m), nn.ConvTranspose2d(b, a, 3, 2, 1, 1), nn.ReLU())
        self.leave = nn.Sequential(*_blocks(a, kernel, n), nn.Conv2d(a, outputs, kernel, padding=pad))

    def forward(self, x: Tensor) -> Tensor:
        full = self.enter(x)
        half = self.down1(full)
        up = self.up2(self.down2(half))
        return self.leave(self.up1(up + half) + full)  # type: ignore[no-any-return]


class PaperRestoration(nn.Module):
    """Figure 2 of the paper: 5x5 convolutions on ten channels at full resolution, no global residual."""

    multiple = 4
    """Height and width must be multiples of this."""

    def __init__(self, config: RestorationConfig) -> None:
        super().__init__()
        self.body = EncoderDecoder(inputs=10, outputs=3, config=config, kernel=5)

    def forward(self, x: RestorationInput) -> Tensor:
        """Returns [B, 3, H, W]."""
        return self.body(torch.cat((x.warped[0], x.centre, x.warped[1], x.prior), dim=1))  # type: ignore[no-any-return]


class LightRestoration(nn.Module):
    """3x3 convolutions on a 2x pixel-unshuffled input; puts out a blend of the aligned frames plus a residual.

    Three softmax weights per pixel blend previous, centre and next frame, so that taking a sharp neighbour's pixel
    is one multiplication away, which is what the prior is for. Between blurred frames the flows tell the direction and
    the length of the blur: they are inputs too, and so is the centre frame's brightness at four points along its own
    motion, which lets the first convolution reach to both ends of a blur of any length.
    """

    multiple = 8

    def __init__(self, config: RestorationConfig) -> None:
        super().__init__()
        # 14 channels unshuffled, and the two flows at half resolution.
        self.body = EncoderDecoder(inputs=4 * (10 + len(_ALONG)) + 4, outputs=4 * 6, config=config, kernel=3)
        last = self.body.leave[-1]
        nn.init.normal_(last.weight, std=1e-3)  # type: ignore[arg-type]
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.centre_bias: Tensor
        self.register_buffer("centre_bias", torch.tensor((0.0, 3.0, 0.0)).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: RestorationInput) -> Tensor:
        """Returns [B, 3, H, W]."""
        stack = torch.cat(
            (x.warped[0], x.centre, x.warped[1], x.prior, *along_motion(x.centre, x.flow)), dim=1
        )
        flows = F.avg_pool2d(torch.cat((x.flow[0], x.flow[1]), dim=1), 2) / _FLOW_UNIT
        out = F.pixel_shuffle(self.body(torch.cat((F.pixel_unshuffle(stack, 2), flows), dim=1)), 2)
        weights = torch.softmax(out[:, 3:] + self.centre_bias, dim=1)
        # Where a neighbour does not reach, its weight goes to the centre: no dark edges, whatever was learned.
        previous = weights[:, :1] * (x.warped[0] - x.masks[0] * x.centre)
        following = weights[:, 2:] * (x.warped[1] - x.masks[1] * x.centre)
        return x.centre + previous + following + out[:, :3]


def along_motion(centre: Tensor, flow: Tensor) -> list[Tensor]:
    """How the brightness of ``centre`` [B, 3, H, W] differs at four points along its motion: [B, 1, H, W] each.

    ``flow`` [2, B, 2, H, W] to the previous and the next frame, in pixels; half their difference is the velocity.
    """
    velocity = (flow[1] - flow[0]) / 2
    brightness = centre.mean(dim=1, keepdim=True)
    return [warp(brightness, velocity * part, padding="border")[0] - brightness for part in _ALONG]
