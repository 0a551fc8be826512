"""A widened network is the small one until it is trained, and all of its weights can be trained."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from cascade.network.cascade import Cascade
from cascade.network.config import BASE, LITE, PAPER
from cascade.network.widen import WideningError, widen


@pytest.fixture(scope="module")
def small() -> Cascade:
    """A network whose weights all count: the last layers start near zero otherwise."""
    torch.manual_seed(0)
    cascade = Cascade(replace(LITE, stages=1))
    with torch.no_grad():
        for level in cascade.stage.flow.decoders:
            level.predict.weight.mul_(100)  # type: ignore[union-attr, operator]
        cascade.stage.restoration.body.leave[-1].weight.mul_(100)  # type: ignore[operator]
    return cascade


@pytest.fixture
def large(small: Cascade) -> Cascade:
    torch.manual_seed(1)
    cascade = Cascade(replace(BASE, stages=1))
    widen(cascade, small)
    return cascade


@pytest.fixture
def frames() -> torch.Tensor:
    return torch.rand(1, 3, 3, 64, 64, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_a_widened_network_computes_what_the_small_one_does(
    small: Cascade, large: Cascade, frames: torch.Tensor
) -> None:
    (before,), (after,) = small(frames), large(frames)
    assert before.flow.abs().mean() > 0.1
    assert (before.restored - frames[:, 1:-1]).abs().mean() > 0.01
    torch.testing.assert_close(after.flow, before.flow, atol=1e-3, rtol=1e-4)
    torch.testing.assert_close(after.restored, before.restored, atol=1e-4, rtol=1e-4)


def test_new_weights_everywhere_learn_after_a_few_steps(large: Cascade, frames: torch.Tensor) -> None:
    optimizer = torch.optim.Adam(large.parameters(), lr=1e-3)
    for _ in range(4):
        optimizer.zero_grad()
        (output,) = large(frames)
        (output.restored.square().mean() + output.flow_levels[-1].square().mean()).backward()
        optimizer.step()
    for name, parameter in large.named_parameters():
        assert parameter.grad is not None, name
        # A ReLU may be off in all pixels of one small window.
        assert (parameter.grad != 0).float().mean() > 0.2, name


def test_networks_of_another_kind_are_refused(small: Cascade) -> None:
    with pytest.raises(WideningError, match="light family"):
        widen(Cascade(PAPER), small)
    with pytest.raises(WideningError, match="less room in flow"):
        widen(small, Cascade(BASE))
    radius = replace(BASE.flow, radius=(4, 4, 4, 4))
    with pytest.raises(WideningError, match=r"differ in flow\.radius"):
        widen(Cascade(replace(BASE, flow=radius)), small)
