"""PWC-Net (Sun et al. 2018) as the released checkpoints have it."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cascade.network.config import FlowConfig
from cascade.network.correlation import correlation, volume_channels
from cascade.network.flow import (
    SLOPE,
    FeaturePyramid,
    FlowPrediction,
    Pyramid,
    conv,
    network_size,
    resize,
    resize_flow,
)
from cascade.network.warp import warp

_PUBLISHED_UNIT = 20.0
"""The published network predicts pixels at full resolution divided by this."""


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
        return F.leaky_relu(correlation(first, second, self.radius) / first.shape[1], SLOPE)


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
        return self.features(resize(frames, size))

    def features(self, frames: Tensor) -> Pyramid:
        """Computes the features of ``frames`` that have the network's size."""
        return self.pyramid(frames)  # type: ignore[no-any-return]

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
