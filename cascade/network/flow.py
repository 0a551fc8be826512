"""Optical flow between adjacent frames: PWC-Net, and a light network of the same construction.

Both share one interface, which lets a window compute every frame's features once and use them for both directions:

- ``encode(frames)``: frames [M, 3, H, W] in [0, 1] to a pyramid of features;
- ``decode(first, second, size)``: pairs of pyramids to a `FlowPrediction` on the first frames' pixel grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cascade.network.config import FlowConfig
from cascade.network.correlation import correlation, volume_channels
from cascade.network.warp import warp

_SLOPE = 0.1
_MULTIPLE = 64
"""Frames are resized to the next multiple of this in each dimension, as the reference does."""
_PUBLISHED_UNIT = 20.0
"""The published network predicts pixels at full resolution divided by this."""
_COSINE_SCALE = 4.0
"""Cosine similarities lie in [-1, 1]; scaled so that the decoder sees values of the size of its other inputs."""

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
        nn.Conv2d(inputs, outputs, 3, stride, padding=dilation, dilation=dilation), nn.LeakyReLU(_SLOPE)
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


class PwcLevel(nn.Module):
    """Estimates flow at one level of PWC-Net; densely connected: new features stand in front of the old ones."""

    def __init__(self, config: FlowConfig, level: int) -> None:
        super().__init__()
        self.is_top = level == len(config.channels)
        self.radius = config.radius[level - 1]
        inputs = volume_channels(self.radius)
        if not self.is_top:
            inputs += config.channels[level - 1] + 4
            above = self.width(config, level + 1)
            self.upflow = nn.ConvTranspose2d(2, 2, 4, stride=2, padding=1)
            self.upfeat = nn.ConvTranspose2d(above, 2, 4, stride=2, padding=1)
            # What one unit of flow is at this level: 20 px of the frame, in pixels of the level's grid.
            self.scale = _PUBLISHED_UNIT / 2**level
        self.layers = nn.ModuleList()
        for outputs in config.decoder:
            self.layers.append(conv(inputs, outputs))
            inputs += outputs
        self.predict = nn.Conv2d(inputs, 2, 3, padding=1)

    @staticmethod
    def width(config: FlowConfig, level: int) -> int:
        """Returns the number of channels of the dense features that a level ends with."""
        volume = volume_channels(config.radius[level - 1])
        top = level == len(config.channels)
        return volume + sum(config.decoder) + (0 if top else config.channels[level - 1] + 4)

    def forward(
        self, first: Tensor, second: Tensor, above: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """Matches features [M, C, h, w] of both frames, given what the level above returned, if there is one.

        Returns (flow in units of 20 px [M, 2, h, w], dense features).
        """
        if above is None:
            features = self._volume(first, second)
        else:
            upflow, upfeat = self.upflow(above[0]), self.upfeat(above[1])
            warped, _ = warp(second, upflow * self.scale, padding="zeros")
            features = torch.cat((self._volume(first, warped), first, upflow, upfeat), dim=1)
        for layer in self.layers:
            features = torch.cat((layer(features), features), dim=1)
        return self.predict(features), features

    def _volume(self, first: Tensor, second: Tensor) -> Tensor:
        return F.leaky_relu(correlation(first, second, self.radius) / first.shape[1], _SLOPE)


class PwcNet(nn.Module):
    """Is PWC-Net of Sun et al. (CVPR 2018) with its context network, as the published cascade uses it."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.pyramid = FeaturePyramid(config.channels, depth=3)
        top, last = len(config.channels), config.finest_level
        self.decoders = nn.ModuleList(PwcLevel(config, level) for level in range(top, last - 1, -1))
        widths = (PwcLevel.width(config, last), 128, 128, 128, 96, 64, 32)
        dilations = (1, 2, 4, 8, 16, 1)
        units = [conv(i, o, dilation=d) for i, o, d in zip(widths, widths[1:], dilations, strict=False)]
        self.refiner = nn.Sequential(*units, nn.Conv2d(32, 2, 3, padding=1))

    def encode(self, frames: Tensor) -> Pyramid:
        """Computes the features of ``frames`` [M, 3, H, W] RGB in [0, 1]."""
        size = network_size((frames.shape[-2], frames.shape[-1]), self.config.downscale)
        return self.pyramid(resize(frames, size))  # type: ignore[no-any-return]

    def decode(self, first: Pyramid, second: Pyramid, size: tuple[int, int]) -> FlowPrediction:
        """Estimates the flow from M first frames of ``size`` (height, width) to M second ones."""
        above: tuple[Tensor, Tensor] | None = None
        levels = []
        for decoder, level in zip(self.decoders, range(len(first) - 1, -1, -1), strict=False):
            above = decoder(first[level], second[level], above)
            levels.append(above[0] * _PUBLISHED_UNIT)
        assert above is not None
        flow = (above[0] + self.refiner(above[1])) * _PUBLISHED_UNIT
        # In pixels of the network's input until here; u and v follow the resize to the frame's own size.
        return FlowPrediction(
            resize_flow(flow, size, network_size(size, self.config.downscale)), [*levels, flow]
        )


class LightLevel(nn.Module):
    """Refines the upsampled flow at one level of the light decoder by a residual, with plain convolutions."""

    def __init__(self, config: FlowConfig, level: int) -> None:
        super().__init__()
        self.is_top = level == len(config.channels)
        self.radius = config.radius[level - 1]
        inputs = volume_channels(self.radius) + config.channels[level - 1]
        if not self.is_top:
            inputs += 2 + config.decoder[-1]
        layers = []
        for outputs in config.decoder:
            layers.append(conv(inputs, outputs))
            inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.predict = nn.Conv2d(inputs, 2, 3, padding=1)
        nn.init.normal_(self.predict.weight, std=1e-3)  # starts as "no motion beyond the level above"
        nn.init.zeros_(self.predict.bias)  # type: ignore[arg-type]  # it has one

    def forward(
        self, first: Tensor, second: Tensor, above: tuple[Tensor, Tensor] | None
    ) -> tuple[Tensor, Tensor]:
        """Matches features [M, C, h, w] of both frames, given what the level above returned, if there is one.

        Returns (flow in pixels of this level's grid [M, 2, h, w], features).
        """
        if above is None:
            features = self.layers(torch.cat((self._volume(first, second), first), dim=1))
            return self.predict(features).float(), features
        size = (first.shape[-2], first.shape[-1])
        upflow = resize(above[0], size) * 2
        warped, _ = warp(second, upflow, padding="zeros")
        inputs = (self._volume(first, warped), first, upflow, resize(above[1], size))
        features = self.layers(torch.cat(inputs, dim=1))
        # In float32 also under autocast: bfloat16 would round a flow of 30 px to eighths.
        return upflow + self.predict(features).float(), features

    def _volume(self, first: Tensor, second: Tensor) -> Tensor:
        return F.leaky_relu(correlation(_unit(first), _unit(second), self.radius) * _COSINE_SCALE, _SLOPE)


def _unit(features: Tensor) -> Tensor:
    """Scales each pixel's features to unit length: the correlation becomes a cosine, whatever the contrast."""
    return features * torch.rsqrt((features**2).sum(dim=1, keepdim=True) + 1e-6)


class LightFlow(nn.Module):
    """Is built as PWC-Net at half resolution, shallow and narrow, with a normalized cost volume.

    With the published cost volume a network of this size hardly learns from random weights; with features made
    zero-mean per channel and unit-length per pixel it does.
    """

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.pyramid = FeaturePyramid(config.channels, depth=2)
        top, last = len(config.channels), config.finest_level
        self.decoders = nn.ModuleList(LightLevel(config, level) for level in range(top, last - 1, -1))

    def encode(self, frames: Tensor) -> Pyramid:
        """Computes the features of ``frames`` [M, 3, H, W] RGB in [0, 1]."""
        size = network_size((frames.shape[-2], frames.shape[-1]), self.config.downscale)
        pyramid = self.pyramid(resize(frames, size) - 0.5)
        return [features - features.mean(dim=(2, 3), keepdim=True) for features in pyramid]

    def decode(self, first: Pyramid, second: Pyramid, size: tuple[int, int]) -> FlowPrediction:
        """Estimates the flow from M first frames of ``size`` (height, width) to M second ones."""
        above: tuple[Tensor, Tensor] | None = None
        levels = []
        for decoder, level in zip(self.decoders, range(len(first) - 1, -1, -1), strict=False):
            above = decoder(first[level], second[level], above)
            levels.append(above[0] * (self.config.downscale * 2 ** (level + 1)))
        assert above is not None
        return FlowPrediction(resize_flow(above[0], size, (above[0].shape[-2], above[0].shape[-1])), levels)
