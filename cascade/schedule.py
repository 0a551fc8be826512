"""How fast each part of the network learns, when."""

from __future__ import annotations

import math

import torch

from cascade.cascade import Cascade
from cascade.recipes import Phase


def learning_rate(phase: Phase, step: int) -> float:
    """Linear warm-up; then halved every so many steps, or a cosine from the phase's rate to its final rate."""
    if step < phase.warmup:
        return phase.rate * (step + 1) / phase.warmup
    if phase.halve_every:
        return max(phase.final_rate, phase.rate * 0.5 ** (step // phase.halve_every))
    fraction = min(1.0, (step - phase.warmup) / max(1, phase.steps - phase.warmup))
    return phase.final_rate + (phase.rate - phase.final_rate) * 0.5 * (1 + math.cos(math.pi * fraction))


def make_optimiser(cascade: Cascade, phase: Phase) -> torch.optim.Adam:
    """Adam over all parameters, or over flow and restoration apart where flow has a learning rate of its own."""
    if phase.flow_rate is None:
        return torch.optim.Adam(cascade.parameters(), lr=0.0)
    parts = (cascade.stage.flow, cascade.stage.restoration)
    return torch.optim.Adam([{"params": list(part.parameters())} for part in parts], lr=0.0)


def set_rates(optimiser: torch.optim.Optimizer, phase: Phase, step: int) -> None:
    """Give every group of `make_optimiser` its learning rate for ``step``."""
    rate = learning_rate(phase, step)
    rates = [rate] if phase.flow_rate is None else [phase.flow_rate * rate / phase.rate, rate]
    for group, value in zip(optimiser.param_groups, rates, strict=True):
        group["lr"] = value
