"""Learning rates over the steps, for one group of parameters and for two."""

from __future__ import annotations

import dataclasses

import pytest

from cascade.network.cascade import Cascade
from cascade.network.config import LITE
from cascade.training.phase import Phase
from cascade.training.recipes import PAPER
from cascade.training.schedule import learning_rate, make_optimizer, set_rates

_PHASE = Phase("cascade", 1000, batch=1, frames=5, crop=64, rate=1e-3, final_rate=1e-4, warmup=100)


def test_the_learning_rate_warms_up_and_falls_to_its_end() -> None:
    rates = [learning_rate(_PHASE, step) for step in range(1001)]
    assert rates[0] == pytest.approx(1e-5)
    assert max(rates) == pytest.approx(1e-3)
    assert rates[1000] == pytest.approx(1e-4)


def test_the_published_rate_is_halved_every_200_epochs() -> None:
    phase = PAPER.phases[0].with_epochs_of(10)
    assert phase.steps == 5000
    steps = (0, 1999, 2000, 3999, 4000, 4999)
    assert [learning_rate(phase, step) for step in steps] == [1e-4, 1e-4, 5e-5, 5e-5, 2.5e-5, 2.5e-5]


def test_flow_goes_along_at_its_own_rate() -> None:
    cascade = Cascade(LITE)
    phase = dataclasses.replace(_PHASE, flow_rate=1e-5)
    optimizer = make_optimizer(cascade, phase)
    set_rates(optimizer, phase, step=1000)
    flow, restoration = optimizer.param_groups
    assert (flow["lr"], restoration["lr"]) == (pytest.approx(1e-6), pytest.approx(1e-4))
    assert len(flow["params"]) == len(list(cascade.stage.flow.parameters()))
    assert len(flow["params"]) + len(restoration["params"]) == len(list(cascade.parameters()))


def test_without_one_all_parameters_share_the_rate() -> None:
    optimizer = make_optimizer(Cascade(LITE), _PHASE)
    set_rates(optimizer, _PHASE, step=99)
    assert [group["lr"] for group in optimizer.param_groups] == [pytest.approx(1e-3)]
