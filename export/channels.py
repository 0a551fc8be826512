"""Rounds channels up for the exported graph: kernels for CPUs compute them in blocks of 16."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn import functional as F

from cascade.network.cascade import Cascade
from cascade.network.light_flow import LightLevel

_BLOCK = 16


def fill_channels(cascade: Cascade) -> Cascade:
    """Returns a copy of ``cascade`` whose flow decoders begin with convolutions of a multiple of 16 channels.

    59 channels leave the blocked kernels and cost more than 64. What is added has weights of zero, so the copy computes
    the same. Checkpoints have nothing of it.
    """
    filled = copy.deepcopy(cascade)
    for level in filled.modules():
        if isinstance(level, LightLevel):
            entry = level.layers[0]
            assert isinstance(entry, nn.Sequential)
            assert isinstance(entry[0], nn.Conv2d)
            level.filler = -entry[0].in_channels % _BLOCK
            _fill(entry[0], level.filler)
    return filled


def _fill(convolution: nn.Conv2d, count: int) -> None:
    """Adds ``count`` last input channels with weights of zero."""
    convolution.weight = nn.Parameter(F.pad(convolution.weight.detach(), (0, 0, 0, 0, 0, count)))
    convolution.in_channels += count
