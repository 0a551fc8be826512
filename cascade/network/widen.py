"""Starts a larger network of the light family as a smaller one: the same function, with room to learn.

Weights from old channels to old ones are the small network's, and those from new channels to old ones are zero, so
that nothing of the new channels reaches the output until training has found a use for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from cascade.network.cascade import Cascade
from cascade.network.config import NetworkConfig
from cascade.network.correlation import volume_channels
from cascade.network.flow import FeaturePyramid
from cascade.network.light_flow import LightFlow, LightLevel
from cascade.network.restoration import EncoderDecoder, LightRestoration, ResidualBlock

Segments = Sequence[tuple[int, int]]
"""Channels (of the large layer, of the small one) of each tensor that a layer's input is a concatenation of."""


class WideningError(ValueError):
    """Raised where one network does not contain the other; the message says why."""


@torch.no_grad()
def widen(large: Cascade, small: Cascade) -> None:
    """Gives ``large`` weights with which it computes what ``small`` does.

    Weights between new channels stay as they are: random. Raises WideningError.
    """
    _require_room(large.config, small.config)
    flows = (large.stage.flow, small.stage.flow)
    restorations = (large.stage.restoration, small.stage.restoration)
    assert isinstance(flows[0], LightFlow)
    assert isinstance(flows[1], LightFlow)
    assert isinstance(restorations[0], LightRestoration)
    assert isinstance(restorations[1], LightRestoration)
    _widen_pyramid(flows[0].pyramid, flows[1].pyramid)
    for level, old in zip(flows[0].decoders, flows[1].decoders, strict=True):
        _widen_level(level, old)
    _widen_body(restorations[0].body, restorations[1].body)


def _require_room(large: NetworkConfig, small: NetworkConfig) -> None:
    if "paper" in (large.preset, small.preset):
        raise WideningError("Only networks of the light family can be widened.")
    same = ("flow.radius", "flow.finest_level", "flow.downscale", "restoration.along_at_half")
    for name in same:
        part, _, field = name.partition(".")
        values = [getattr(getattr(config, part), field) for config in (large, small)]
        if values[0] != values[1]:
            raise WideningError(f"The networks differ in {name}: {values[0]} is not {values[1]}.")
    for name in ("flow.channels", "flow.decoder", "restoration.channels", "restoration.blocks"):
        part, _, field = name.partition(".")
        sizes = [getattr(getattr(config, part), field) for config in (large, small)]
        if len(sizes[0]) != len(sizes[1]) or any(a < b for a, b in zip(*sizes, strict=True)):
            raise WideningError(f"The network has less room in {name}: {sizes[0]} does not hold {sizes[1]}.")


def _widen_pyramid(large: FeaturePyramid, small: FeaturePyramid) -> None:
    for level, old in zip(large.levels, small.levels, strict=True):
        for unit, old_unit in zip(_units(level), _units(old), strict=True):
            _copy(unit, old_unit)
        # A feature of any other value would change the cosines of the cost volume.
        _silence(unit, old_unit.out_channels)


def _widen_level(large: nn.Module, small: nn.Module) -> None:
    assert isinstance(large, LightLevel)
    assert isinstance(small, LightLevel)
    units, old_units = _units(large.layers), _units(small.layers)
    volume = volume_channels(large.radius)
    upsampled = 0 if large.is_top else 2
    above = (0, 0) if large.is_top else (units[-1].out_channels, old_units[-1].out_channels)
    features = (
        units[0].in_channels - volume - upsampled - above[0],
        old_units[0].in_channels - volume - upsampled - above[1],
    )
    _copy(units[0], old_units[0], [(volume, volume), features, (upsampled, upsampled), above])
    for unit, old in zip(units[1:], old_units[1:], strict=True):
        _copy(unit, old)
    _copy(large.predict, small.predict)


def _widen_body(large: EncoderDecoder, small: EncoderDecoder) -> None:
    for name in ("enter", "down1", "down2", "up2", "up1", "leave"):
        sequence, old_sequence = getattr(large, name), getattr(small, name)
        for unit, old in zip(_scaling(sequence), _scaling(old_sequence), strict=True):
            _copy(unit, old)
        blocks, old_blocks = list(_blocks(sequence)), list(_blocks(old_sequence))
        for block, old_block in zip(blocks, old_blocks, strict=False):
            _copy(block.conv1, old_block.conv1)
            _copy(block.conv2, old_block.conv2)
        for block in blocks[len(old_blocks) :]:
            _silence(block.conv2, 0)


def _units(layers: nn.Module) -> list[nn.Conv2d]:
    return [module for module in layers.modules() if isinstance(module, nn.Conv2d)]


def _scaling(sequence: nn.Sequential) -> Iterator[nn.Conv2d | nn.ConvTranspose2d]:
    return (module for module in sequence if isinstance(module, nn.Conv2d | nn.ConvTranspose2d))


def _blocks(sequence: nn.Sequential) -> Iterator[ResidualBlock]:
    return (module for module in sequence if isinstance(module, ResidualBlock))


def _copy(
    large: nn.Conv2d | nn.ConvTranspose2d,
    small: nn.Conv2d | nn.ConvTranspose2d,
    segments: Segments | None = None,
) -> None:
    """Copies a layer into one with more channels; ``segments`` are those of its input."""
    weight, old = _by_output(large), _by_output(small)
    outputs = small.out_channels
    weight[:outputs] = 0
    at = old_at = 0
    for width, old_width in segments or [(weight.shape[1], old.shape[1])]:
        weight[:outputs, at : at + old_width] = old[:, old_at : old_at + old_width]
        at, old_at = at + width, old_at + old_width
    _bias(large).zero_()[:outputs] = _bias(small)


def _silence(layer: nn.Conv2d, first: int) -> None:
    """Makes the outputs from number ``first`` on zero."""
    layer.weight[first:] = 0
    _bias(layer)[first:] = 0


def _by_output(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    """Returns a view [O, I, k, k] of the layer's weight."""
    return layer.weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else layer.weight


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    assert layer.bias is not None
    return layer.bias
