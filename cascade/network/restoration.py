"""The encoder-decoder that restores the center frame from the aligned frames and the sharpness prior."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cascade.network.config import RestorationConfig
from cascade.network.warp import Pair, warp

_FLOW_UNIT = 16.0
"""Pixels of flow that count as 1 for the light network's input."""
_ALONG = (-0.5, -0.25, 0.25, 0.5)
"""Where the center frame is sampled along its motion, in frame intervals: a shutter that is open all the time blurs
from -0.5 to 0.5."""
_CENTER_BIAS = 3.0
"""Added to the center's weight before the softmax: an untrained network passes the center through."""
_IMAGES = 10
"""Channels of the aligned frames, the center, and the prior."""


@dataclass
class RestorationInput:
    """What a stage knows about a center frame before restoring it; all on the frame's pixel grid."""

    center: Tensor
    """[B, 3, H, W] RGB in [0, 1]."""
    warped: Pair
    """[B, 3, H, W] each: previous and next frame aligned to the center, zero where they do not reach."""
    masks: Pair
    """[B, 1, H, W] each: 1 where the aligned frames are valid, else 0."""
    prior: Tensor
    """[B, 1, H, W]: the temporal sharpness prior S."""
    flow: Pair
    """[B, 2, H, W] each: flow from the center to the previous and the next frame, in pixels."""


class ResidualBlock(nn.Module):
    """Adds conv-ReLU-conv to its input; no batch norm, no activation after the sum."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)
        self.conv2 = nn.Conv2d(channels, channels, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))  # type: ignore[no-any-return]


def _blocks(channels: int, kernel: int, count: int) -> list[nn.Module]:
    return [ResidualBlock(channels, kernel) for _ in range(count)]


class EncoderDecoder(nn.Module):
    """Goes two strided levels down and two transposed levels up, with skips by addition.

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
    """Is figure 2 of the paper: 5x5 convolutions on ten channels at full resolution, no global residual."""

    multiple = 4
    """Height and width must be multiples of this."""

    def __init__(self, config: RestorationConfig) -> None:
        super().__init__()
        self.body = EncoderDecoder(inputs=_IMAGES, outputs=3, config=config, kernel=5)

    def forward(self, x: RestorationInput) -> Tensor:
        """Returns [B, 3, H, W]."""
        return self.body(torch.cat((x.warped[0], x.center, x.warped[1], x.prior), dim=1))  # type: ignore[no-any-return]


class PixelUnshuffle(nn.Module):
    """Does what `F.pixel_unshuffle` by 2 does, as a convolution with ones and zeros.

    Exported, that is one node that runtimes compute well, instead of two reshapes around a transposition.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        outputs = 4 * channels
        self.weight: Tensor
        self.register_buffer("weight", torch.eye(outputs).view(outputs, channels, 2, 2), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to [B, 4 * C, H / 2, W / 2]."""
        return F.conv2d(x, self.weight, stride=2)


class LightRestoration(nn.Module):
    """Computes 3x3 convolutions at half resolution; puts out a blend of the aligned frames plus a residual.

    Three softmax weights per pixel blend previous, center and next frame, so that taking a sharp neighbor's pixel
    is one multiplication away, which is what the prior is for. Between blurred frames the flows tell the direction and
    the length of the blur: they are inputs too, and so is the center frame's brightness at four points along its own
    motion, which lets the first convolution reach to both ends of a blur of any length.
    """

    multiple = 8
    """Height and width must be multiples of this."""

    def __init__(self, config: RestorationConfig) -> None:
        super().__init__()
        self.along_at_half = config.along_at_half
        at_full = _IMAGES if self.along_at_half else _IMAGES + len(_ALONG)
        at_half = (
            4 + len(_ALONG) if self.along_at_half else 4
        )  # the two flows, and maybe what lies along the motion
        self.unshuffle = PixelUnshuffle(at_full)
        self.body = EncoderDecoder(inputs=4 * at_full + at_half, outputs=4 * 6, config=config, kernel=3)
        last = self.body.leave[-1]
        nn.init.normal_(last.weight, std=1e-3)  # type: ignore[arg-type]
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, x: RestorationInput) -> Tensor:
        """Returns [B, 3, H, W]."""
        out = self.body(torch.cat(self._inputs(x), dim=1))
        previous, following = _neighbor_weights(out[:, 12:])
        full = F.pixel_shuffle(torch.cat((out[:, :12], previous, following), dim=1), 2)
        # Where a neighbor does not reach, its weight goes to the center: no dark edges, whatever was learned.
        previous, following = full[:, 3:4] * x.masks[0], full[:, 4:5] * x.masks[1]
        center = 1 - previous - following
        blend = previous * x.warped[0] + center * x.center + following * x.warped[1]
        return blend + full[:, :3]

    def _inputs(self, x: RestorationInput) -> tuple[Tensor, ...]:
        """Returns what the body sees, at half resolution: several [B, n, H / 2, W / 2]."""
        images = (x.warped[0], x.center, x.warped[1], x.prior)
        flow = F.avg_pool2d(torch.cat((x.flow[0], x.flow[1]), dim=1), 2)
        if not self.along_at_half:
            along = along_motion(x.center, x.flow[0], x.flow[1])
            return self.unshuffle(torch.cat((*images, *along), dim=1)), flow / _FLOW_UNIT
        along = along_motion(F.avg_pool2d(x.center, 2), flow[:, :2] / 2, flow[:, 2:] / 2)
        return self.unshuffle(torch.cat(images, dim=1)), *along, flow / _FLOW_UNIT


def _neighbor_weights(scores: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the softmax weights of the previous and the next frame among the three: [B, 4, h, w] each.

    ``scores`` [B, 12, h, w]: four pixels each of previous, center and next frame. Written out, because runtimes
    transpose for a softmax over channels, and at half resolution, where each map is four channels.
    """
    previous, center, following = scores[:, :4], scores[:, 4:8] + _CENTER_BIAS, scores[:, 8:]
    largest = torch.maximum(torch.maximum(previous, center), following)
    previous, center, following = (torch.exp(score - largest) for score in (previous, center, following))
    total = previous + center + following
    return previous / total, following / total


def along_motion(center: Tensor, to_previous: Tensor, to_next: Tensor) -> list[Tensor]:
    """Returns how the brightness of ``center`` differs at four points along its motion: [B, 1, H, W] each.

    ``center`` [B, 3, H, W] RGB in [0, 1]; the flows [B, 2, H, W], in pixels. Half their difference is the velocity.
    """
    velocity = (to_next - to_previous) / 2
    brightness = center.mean(dim=1, keepdim=True)
    return [warp(brightness, velocity * part, padding="border")[0] - brightness for part in _ALONG]
