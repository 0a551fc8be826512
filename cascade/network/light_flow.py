"""A light flow network of PWC-Net's construction, with a normalized cost volume."""

from __future__ import annotations

from itertools import pairwise

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

_COSINE_SCALE = 4.0
"""Cosine similarities lie in [-1, 1]; scaled so that the decoder sees values of the size of its other inputs."""


class LightLevel(nn.Module):
    """Refines the upsampled flow at one level of the light decoder by a residual, with plain convolutions."""

    def __init__(self, config: FlowConfig, level: int) -> None:
        super().__init__()
        self.is_top = level == len(config.channels)
        self.radius = config.radius[level - 1]
        self.bands = 1
        """In how many bands of rows one above the other an exported graph does this level, to take less memory."""
        self.filler = 0
        """How many channels of ``first`` come once more, last, for convolutions that want blocks of channels."""
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
            features = self._features(first, self._volume(first, second), first)
            return self.predict(features).float(), features
        size = (first.shape[-2], first.shape[-1])
        upflow = resize(above[0], size) * 2
        warped, _ = warp(second, upflow, padding="zeros")
        refined = self._refined if self.bands == 1 else self._refined_in_bands
        return refined(first, warped, upflow, resize(above[1], size))

    def _refined(self, first: Tensor, warped: Tensor, upflow: Tensor, above: Tensor) -> tuple[Tensor, Tensor]:
        features = self._features(first, self._volume(first, warped), first, upflow, above)
        # In float32 also under autocast: bfloat16 would round a flow of 30 px to eighths.
        return upflow + self.predict(features).float(), features

    def _refined_in_bands(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Does what ``_refined`` does; each band is computed with as many rows around it as reach into it."""
        reach = self.radius + len(self.layers) + 1
        height = torch.as_tensor(inputs[0].shape[-2])
        bounds = [height * band // self.bands for band in range(self.bands + 1)]
        parts = []
        for start, stop in pairwise(bounds):
            low = torch.clamp(start - reach, min=0)
            part = self._refined(*(each[:, :, low : stop + reach] for each in inputs))
            parts.append([each[:, :, start - low : stop - low] for each in part])
        flow, features = (torch.cat(each, dim=2) for each in zip(*parts, strict=True))
        return flow, features

    def _features(self, first: Tensor, *inputs: Tensor) -> Tensor:
        filler = (first[:, : self.filler],) if self.filler else ()
        return self.layers(torch.cat((*inputs, *filler), dim=1))  # type: ignore[no-any-return]

    def _volume(self, first: Tensor, second: Tensor) -> Tensor:
        return F.leaky_relu(correlation(_unit(first), _unit(second), self.radius) * _COSINE_SCALE, SLOPE)


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
        return self.features(resize(frames, size))

    def features(self, frames: Tensor) -> Pyramid:
        """Computes the features of ``frames`` that have the network's size."""
        pyramid = self.pyramid(frames - 0.5)
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
