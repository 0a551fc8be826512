"""Learning rates over the steps of a phase, and the optimizer that they are set in."""

from __future__ import annotations

import math

import torch

from cascade.network.cascade import Cascade
from cascade.training.muon import Muon
from cascade.training.phase import Phase


def learning_rate(phase: Phase, step: int) -> float:
    """Returns the rate at a step, counted from 0: a linear warm-up, then what the phase asks for.

    That is halving every so many steps, or a cosine from the phase's rate to its final rate.
    """
    if step < phase.warmup:
        return phase.rate * (step + 1) / phase.warmup
    if phase.halve_every:
        return max(phase.final_rate, phase.rate * 0.5 ** (step // phase.halve_every))
    fraction = min(1.0, (step - phase.warmup) / max(1, phase.steps - phase.warmup))
    return _cosine(phase.rate, phase.final_rate, fraction)


def timed_rate(phase: Phase, rate: float, step: int, share: float) -> float:
    """Returns the rate at a step of a training for a time of which ``share``, 0 to 1, is over.

    That is a cosine over time from ``rate`` to the phase's final rate, after a linear warm-up over steps.
    """
    warm = min(1.0, (step + 1) / phase.warmup) if phase.warmup else 1.0
    return warm * _cosine(rate, phase.final_rate, min(1.0, share))


def _cosine(rate: float, final_rate: float, fraction: float) -> float:
    return final_rate + (rate - final_rate) * 0.5 * (1 + math.cos(math.pi * fraction))


def make_optimizer(cascade: Cascade, phase: Phase) -> torch.optim.Optimizer:
    """Makes Adam or Muon, over all parameters or, where flow has a rate of its own, over flow and restoration apart."""
    if phase.flow_rate is None:
        groups = [{"params": list(cascade.parameters())}]
    else:
        parts = (cascade.stage.flow, cascade.stage.restoration)
        groups = [{"params": list(part.parameters())} for part in parts]
    return Muon(groups, lr=0.0) if phase.muon else torch.optim.Adam(groups, lr=0.0)


def set_rates(optimizer: torch.optim.Optimizer, phase: Phase, step: int) -> None:
    """Gives every group of an optimizer of `make_optimizer` its learning rate for ``step``."""
    rate = learning_rate(phase, step)
    rates = [rate] if phase.flow_rate is None else [phase.flow_rate * rate / phase.rate, rate]
    for group, value in zip(optimizer.param_groups, rates, strict=True):
        group["lr"] = value
