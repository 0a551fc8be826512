"""How fast each part of the network learns, when."""

from __future__ import annotations

import math

import torch

from cascade.network.cascade import Cascade
from cascade.training.muon import Muon
from cascade.training.recipes import Phase


def learning_rate(phase: Phase, step: int) -> float:
    """Linear warm-up; then halved every so many steps, or a cosine from the phase's rate to its final rate."""
    if step < phase.warmup:
        return phase.rate * (step + 1) / phase.warmup
    if phase.halve_every:
        return max(phase.final_rate, phase.rate * 0.5 ** (step // phase.halve_every))
    fraction = min(1.0, (step - phase.warmup) / max(1, phase.steps - phase.warmup))
    return phase.final_rate + (phase.rate - phase.final_rate) * 0.5 * (1 + math.cos(math.pi * fraction))


def make_optimiser(cascade: Cascade, phase: Phase) -> torch.optim.Optimizer:
    """Adam or Muon over all parameters, or over flow and restoration apart where flow has a rate of its own."""
    if phase.flow_rate is None:
        groups = [{"params": list(cascade.parameters())}]
    else:
        parts = (cascade.stage.flow, cascade.stage.restoration)
        groups = [{"params": list(part.parameters())} for part in parts]
    return Muon(groups, lr=0.0) if phase.muon else torch.optim.Adam(groups, lr=0.0)


def set_rates(optimiser: torch.optim.Optimizer, phase: Phase, step: int) -> None:
    """Give every group of `make_optimiser` its learning rate for ``step``."""
    rate = learning_rate(phase, step)
    rates = [rate] if phase.flow_rate is None else [phase.flow_rate * rate / phase.rate, rate]
    for group, value in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = value
