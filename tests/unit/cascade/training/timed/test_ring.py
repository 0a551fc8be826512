"""The ring: which samples it holds, and that what is drawn from it is a sample still."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from cascade.network.warp import warp
from cascade.training.errors import TrainingError
from cascade.training.samples import Batch, images
from cascade.training.timed.ring import SampleRing
from cascade.training.timed.turns import Turn, random_turn, turned

_STEP = (3, -2)
"""Motion from one frame to the next, to the right and down, in pixels."""
_SIDE = 24


def _numbered(*numbers: int) -> Batch:
    """Samples of one gray level each, with flows of that length."""
    levels = torch.tensor(numbers, dtype=torch.uint8)
    frames = levels.view(-1, 1, 1, 1, 1).expand(-1, 5, 8, 8, 3).contiguous()
    flows = levels.float().view(1, -1, 1, 1, 1, 1).expand(2, -1, 3, 2, 8, 8).contiguous()
    return Batch(frames, frames.clone(), flows)


def _moving() -> Batch:
    """Five frames of a colored pattern that moves by `_STEP` from each to the next, with its flow."""
    rng = np.random.default_rng(0)
    pattern = rng.integers(0, 256, (_SIDE + 20, _SIDE + 20, 3), dtype=np.uint8)
    frames = []
    for time in range(5):
        x, y = 4 - time * _STEP[0] + 8, 12 - time * _STEP[1] - 8
        frames.append(pattern[y : y + _SIDE, x : x + _SIDE])
    sharp = torch.from_numpy(np.stack(frames)[None])
    to_next = torch.tensor(_STEP, dtype=torch.float32).view(1, 1, 2, 1, 1).expand(1, 3, 2, _SIDE, _SIDE)
    return Batch(sharp // 2, sharp, torch.stack((-to_next, to_next)))


def _largest_difference(batch: Batch) -> float:
    """Of inner frames from their neighbors, where the flow leads to inside the frame."""
    assert batch.flows is not None
    frames, worst = images(batch.sharp)[0], 0.0
    for direction, offset in ((0, -1), (1, 1)):
        for inner in range(3):
            flow = batch.flows[direction, :, inner]
            aligned, valid = warp(frames[None, inner + 1 + offset], flow, padding="border")
            difference: Tensor = (aligned - frames[None, inner + 1]).abs() * valid
            worst = max(worst, float(difference.max()))
    return worst


def test_flow_is_right_before_it_is_turned() -> None:
    assert _largest_difference(_moving()) < 1e-4


@pytest.mark.parametrize("switches", list(product((False, True), repeat=4)))
def test_flow_is_right_however_a_sample_is_turned(switches: tuple[bool, bool, bool, bool]) -> None:
    turn = Turn(*switches, colors=(2, 0, 1))
    batch = turned(_moving(), turn)
    assert _largest_difference(batch) < 1e-4
    assert torch.equal(batch.blurred, batch.sharp // 2)
    if any(switches):
        assert not torch.equal(batch.sharp, turned(_moving(), Turn(colors=(2, 0, 1))).sharp)


def test_colors_change_places() -> None:
    batch = _moving()
    assert torch.equal(turned(batch, Turn(colors=(2, 0, 1))).sharp, batch.sharp[..., [2, 0, 1]])


def test_every_turn_is_drawn_and_colors_only_where_asked() -> None:
    rng = np.random.default_rng(0)
    assert len({random_turn(rng, with_colors=True) for _ in range(2000)}) == 16 * 6
    assert len({random_turn(rng, with_colors=False) for _ in range(500)}) == 16


def _drawn(ring: SampleRing) -> set[int]:
    batch = ring.draw(200, np.random.default_rng(1))
    assert batch.flows is not None
    levels = batch.blurred[:, 0, 0, 0, 0]
    assert torch.equal(batch.flows.abs()[0, :, 0, 0, 0, 0], levels.float())
    return set(levels.tolist())


def test_new_samples_replace_the_oldest() -> None:
    ring = SampleRing(4, torch.device("cpu"), with_colors=True)
    ring.put(_numbered(1, 2, 3))
    assert (ring.filled, _drawn(ring)) == (3, {1, 2, 3})
    ring.put(_numbered(4, 5, 6))
    assert (ring.filled, ring.taken, _drawn(ring)) == (4, 6, {3, 4, 5, 6})


def test_a_draw_is_decided_by_its_random_numbers() -> None:
    ring = SampleRing(4, torch.device("cpu"), with_colors=True)
    ring.put(_numbered(1, 2, 3, 4))
    first, second = (ring.draw(3, np.random.default_rng(7)) for _ in range(2))
    assert torch.equal(first.blurred, second.blurred)


def test_samples_without_flow_are_refused() -> None:
    batch = _numbered(1)
    with pytest.raises(TrainingError, match="exact flow"):
        SampleRing(4, torch.device("cpu"), with_colors=True).put(Batch(batch.blurred, batch.sharp, None))
