"""One network in training: stacks, optimizer, steps, and parts compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from cascade.network.cascade import Cascade
from cascade.network.config import LITE
from cascade.training.muon import Muon
from cascade.training.objective import loss_terms
from cascade.training.recipes import GPU
from cascade.training.samples import Batch
from cascade.training.timed.compiling import PartReport, compile_parts, distances
from cascade.training.timed.learner import Learner, LearnerSettings
from cascade.training.timed.profile import profile
from cascade.training.timed.stacked_muon import StackedMuon
from cascade.training.timed.stacks import StackedParameters

_PHASE = replace(GPU.phases[0], batch=1, crop=64)
_SETTINGS = LearnerSettings(_PHASE, torch.device("cpu"), bfloat16=False, ema_decay=0.9, max_norm=1.0)


def _distance(tensors: Sequence[torch.Tensor], others: Sequence[torch.Tensor]) -> float:
    """The largest relative distance of any two."""
    return float(distances(tensors, others).max())


def _cascade() -> Cascade:
    torch.manual_seed(0)
    return Cascade(LITE)


@pytest.fixture(scope="module")
def batch() -> Batch:
    rng = np.random.default_rng(0)
    frames = torch.from_numpy(rng.integers(0, 256, (1, 5, 64, 64, 3), dtype=np.uint8))
    flows = torch.from_numpy(rng.normal(0, 2, (2, 1, 3, 2, 64, 64)).astype(np.float32))
    return Batch(frames, frames.flip(1), flows)


@pytest.fixture
def learner(batch: Batch) -> Learner:
    made = Learner("lite", _cascade(), 1e-3, _SETTINGS)
    made.show(batch)
    return made


def test_a_network_on_stacks_is_the_same_network() -> None:
    plain, stacked = _cascade(), _cascade()
    parameters = StackedParameters(stacked, torch.float32)
    assert len(parameters.masters) < len(parameters.parameters) / 3
    for name, parameter in plain.named_parameters():
        assert torch.equal(parameter, stacked.get_parameter(name)), name
    assert parameters.named(parameters.masters).keys() == dict(plain.named_parameters()).keys()
    changed = {name: torch.rand_like(tensor) for name, tensor in plain.named_parameters()}
    parameters.assign(parameters.masters, changed)
    assert all(torch.equal(stacked.get_parameter(name), tensor) for name, tensor in changed.items())


def test_in_bfloat16_the_network_gets_rounded_copies_of_what_is_trained() -> None:
    cascade = _cascade()
    parameters = StackedParameters(cascade, torch.bfloat16)
    for master in parameters.masters:
        master.add_(1e-4)  # less than bfloat16 can add to most weights
    parameters.publish()
    for name, master in parameters.named(parameters.masters).items():
        assert torch.equal(cascade.get_parameter(name), master.bfloat16()), name
        assert master.dtype == torch.float32


def test_stacked_muon_is_muon() -> None:
    plain, stacked = _cascade(), _cascade()
    muon = Muon([*plain.parameters()], lr=0.01)
    parameters = StackedParameters(stacked, torch.float32)
    optimizer = StackedMuon(parameters)
    generator = torch.Generator().manual_seed(1)
    for _ in range(3):
        gradients = {n: torch.randn(p.shape, generator=generator) for n, p in plain.named_parameters()}
        for name, parameter in plain.named_parameters():
            parameter.grad = gradients[name]
        muon.step()
        ordered = [gradients[name] for stack in parameters.stacks for name in stack.names]
        optimizer.update(parameters.gather(ordered), torch.tensor(0.01))
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(stacked.get_parameter(name), parameter, atol=1e-4, rtol=1e-3)


def test_gradients_are_those_of_the_plain_network(learner: Learner, batch: Batch) -> None:
    plain = _cascade()
    torch.stack([*loss_terms(plain, _PHASE, batch).values()]).sum().backward()  # type: ignore[no-untyped-call]
    found = learner.parameters.named(learner.gradients())
    for name, parameter in plain.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(found[name], parameter.grad, atol=1e-5, rtol=1e-3)
    assert _distance(learner.gradients(), learner.exact_gradients()) < 1e-3


def test_steps_lower_the_loss_and_the_average_follows(learner: Learner) -> None:
    start = [master.clone() for master in learner.parameters.masters]
    losses = []
    for _ in range(6):
        learner.step(1e-3)
        terms, steps, broken = learner.report()
        assert (steps, broken) == (1, 0)
        losses.append(sum(terms.values()))
    assert terms.keys() == {"stage1", "psnr1", "flow1", "stage2", "psnr2", "flow2"}
    assert losses[-1] < losses[0]
    moved, followed = _distance(learner.parameters.masters, start), _distance(learner.average, start)
    assert 0 < followed < moved
    averaged = dict(learner.averaged().named_parameters())
    for name, tensor in learner.parameters.named(learner.average).items():
        assert torch.equal(averaged[name], tensor), name


def test_in_bfloat16_gradients_are_near_and_steps_reach_the_float32_stacks(batch: Batch) -> None:
    """The precision that CUDA gets, where a test can run it."""
    learner = Learner("lite", _cascade(), 1e-3, replace(_SETTINGS, bfloat16=True))
    learner.show(batch)
    found, exact = learner.gradients(), learner.exact_gradients()
    assert all(gradient.dtype == torch.float32 for gradient in found)
    assert 1e-4 < float(distances(found, exact).median()) < 0.3
    before = [master.clone() for master in learner.parameters.masters]
    learner.step(1e-6)
    assert 0 < _distance(learner.parameters.masters, before) < 1e-2
    parameter = next(learner.cascade.parameters())
    assert parameter.dtype == torch.bfloat16


def test_a_gradient_that_is_not_finite_moves_nothing_and_is_counted(learner: Learner, batch: Batch) -> None:
    assert batch.flows is not None
    before = [master.clone() for master in learner.parameters.masters]
    learner.show(replace(batch, flows=torch.full_like(batch.flows, torch.nan)))
    learner.step(1e-3)
    assert _distance(learner.parameters.masters, before) == 0
    learner.show(batch)
    learner.step(1e-3)
    terms, steps, broken = learner.report()
    assert (steps, broken) == (2, 1)
    assert all(np.isfinite(value) for value in terms.values())
    assert _distance(learner.parameters.masters, before) > 0


def test_captured_steps_begin_where_the_eager_ones_were(learner: Learner) -> None:
    """What a capture needs of a learner; a CUDA graph itself needs CUDA."""
    replayed = []

    def capture(step: Callable[[], None]) -> Callable[[], None]:
        step()
        return lambda: replayed.append(1)

    before = [tensor.clone() for tensor in (*learner.parameters.masters, *learner.optimizer.tensors)]
    learner.use_graph(capture)
    after = [*learner.parameters.masters, *learner.optimizer.tensors]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    learner.step(1e-3)
    assert replayed == [1]


def test_a_failed_capture_changes_nothing(learner: Learner) -> None:
    def capture(step: Callable[[], None]) -> Callable[[], None]:
        step()
        raise RuntimeError("This operation cannot be captured.")

    before = [master.clone() for master in learner.parameters.masters]
    with pytest.raises(RuntimeError, match="captured"):
        learner.use_graph(capture)
    assert _distance(learner.parameters.masters, before) == 0
    learner.step(1e-3)
    assert _distance(learner.parameters.masters, before) > 0


def _reports(learner: Learner, compiler: Callable[[Any], Any]) -> dict[str, PartReport]:
    exact = learner.exact_gradients()
    reports = compile_parts(learner.cascade, learner.gradients, exact, learner.settings.bfloat16, compiler)
    return {report.name: report for report in reports}


def test_a_part_with_wrong_gradients_stays_eager(learner: Learner) -> None:
    def compiler(function: Callable[..., Any]) -> Callable[..., Any]:
        if function.__name__ != "encode":
            return function
        return lambda frames: [level * 1.1 + level.detach() * -0.1 for level in function(frames)]

    before = learner.gradients()
    reports = _reports(learner, compiler)
    assert {name: report.compiled for name, report in reports.items()} == {
        "restoration": True,
        "flow.encode": False,
        "flow.decode": True,
    }
    assert "stays eager: its gradients are off by" in str(reports["flow.encode"])
    assert _distance(learner.gradients(), before) < 1e-5


def test_a_part_that_does_not_compile_stays_eager(learner: Learner) -> None:
    def compiler(function: Callable[..., Any]) -> Callable[..., Any]:
        def fail(*_: Any) -> None:
            raise NotImplementedError("no such kernel")

        return fail if function.__name__ == "decode" else function

    reports = _reports(learner, compiler)
    assert not reports["flow.decode"].compiled
    assert "did not compile: NotImplementedError: no such kernel" in str(reports["flow.decode"])
    learner.step(1e-3)


def test_gradients_that_are_no_numbers_are_not_right() -> None:
    assert not PartReport("restoration", float("nan"), 1.0).compiled


def test_a_profile_lists_the_longest_first(learner: Learner) -> None:
    before = [master.clone() for master in learner.parameters.masters]
    with learner.unchanged():
        total, *rows = profile(learner.train, torch.device("cpu"))
    assert _distance(learner.parameters.masters, before) == 0
    assert "in all" in total
    times = [float(row.split()[0]) for row in rows]
    assert times == sorted(times, reverse=True)
    assert any("convolution" in row for row in rows)
