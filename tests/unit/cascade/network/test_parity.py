"""The paper's network against the reference implementation's own numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cascade.network.cascade import Cascade
from cascade.network.checkpoint import CheckpointError, from_released
from tests.support.parity import reference, released_state

_FLOAT16_MEAN = 1e-4  # values in [0.25, 1) are rounded by up to 2.4e-4, a third of that on average


@pytest.fixture(scope="module")
def cascade() -> Cascade:
    return from_released(released_state()).eval()


def test_the_paper_preset_has_the_published_number_of_parameters(cascade: Cascade) -> None:
    def count(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    assert count(cascade) == 16_187_045
    assert count(cascade.stage.flow) == 9_374_274
    assert count(cascade.stage.restoration) == 6_812_771


def test_both_stages_reproduce_the_reference(cascade: Cascade) -> None:
    expected = reference()
    frames = torch.from_numpy(expected.frames).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        stage1, stage2 = cascade(frames[None])

    for output, inner, truth in (
        (stage1, slice(1, -1), expected.stage1),
        (stage2, slice(None), expected.restored),
    ):
        difference = np.abs(output.restored[0, inner].permute(0, 2, 3, 1).numpy() - truth)
        assert difference.max() < 1e-3
        assert difference.mean() < _FLOAT16_MEAN


def test_a_checkpoint_that_lacks_a_tensor_is_refused_by_name() -> None:
    state = released_state()
    del state["recons_net.outBlock.3.bias"]
    with pytest.raises(CheckpointError, match=r"restoration\.body\.leave\.3\.bias"):
        from_released(state)


def test_a_checkpoint_with_an_unknown_tensor_is_refused_by_name() -> None:
    state = released_state()
    state["recons_net.extra.weight"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match=r"recons_net\.extra\.weight"):
        from_released(state)
