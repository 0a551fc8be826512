"""Flips, quarter turns, reversal in time and orders of colors: what makes other samples of a batch on the device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cascade.training.samples import Batch

_PLAIN = (0, 1, 2)


@dataclass(frozen=True)
class Turn:
    """What is done to a batch, in this order; together the first three make all flips and quarter turns."""

    mirrored: bool = False
    """Whether left and right change places."""
    overturned: bool = False
    """Whether top and bottom change places."""
    transposed: bool = False
    """Whether rows become columns."""
    reversed: bool = False
    """Whether the frames run backwards in time."""
    colors: tuple[int, int, int] = _PLAIN
    """Which channel becomes red, green and blue."""


def random_turn(rng: np.random.Generator, with_colors: bool) -> Turn:
    """Draws a turn; without ``with_colors``, one that leaves the colors as they are."""
    mirrored, overturned, transposed, backwards = (bool(value) for value in rng.random(4) < 0.5)
    red, green, blue = (int(value) for value in rng.permutation(3)) if with_colors else _PLAIN
    return Turn(mirrored, overturned, transposed, backwards, (red, green, blue))


def turned(batch: Batch, turn: Turn) -> Batch:
    """Returns the batch with all its samples turned alike; flows, which must be known, point where they should."""
    assert batch.flows is not None
    blurred, sharp = (_frames(frames, turn) for frames in (batch.blurred, batch.sharp))
    return Batch(blurred, sharp, _flows(batch.flows, turn))


def _frames(frames: Tensor, turn: Turn) -> Tensor:
    """Turns frames [B, N, H, W, 3]."""
    axes = [axis for axis, flips in ((3, turn.mirrored), (2, turn.overturned), (1, turn.reversed)) if flips]
    frames = frames.flip(axes) if axes else frames
    frames = frames.transpose(2, 3) if turn.transposed else frames
    if turn.colors == _PLAIN:
        return frames
    return torch.stack([frames[..., channel] for channel in turn.colors], dim=-1)


def _flows(flows: Tensor, turn: Turn) -> Tensor:
    """Turns flows [2, B, N-2, 2, H, W], to the previous frames and to the next ones, (u, v)."""
    if turn.mirrored:
        flows = flows.flip(5)
    if turn.overturned:
        flows = flows.flip(4)
    u, v = flows[:, :, :, 0], flows[:, :, :, 1]
    flows = torch.stack((-u if turn.mirrored else u, -v if turn.overturned else v), dim=3)
    if turn.transposed:
        flows = flows.transpose(4, 5).flip(3)
    return flows.flip(0, 2) if turn.reversed else flows
