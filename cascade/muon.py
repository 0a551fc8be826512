"""Muon: momentum whose matrices are made orthogonal, which here reaches a loss in about half of Adam's steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

_MOMENTUM = 0.95
_BETAS = (0.9, 0.999)
_EPSILON = 1e-8
_ITERATIONS = 5
_QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the iteration that takes singular values to about 1 fastest, as published."""
_RMS = 0.2
"""Root mean square of an update at rate 1: Adam's, so that one learning rate serves both."""
_LEAST_ROWS = 8
"""Heads with fewer outputs (flow has two) and biases are no matrices to speak of: Adam trains them."""


class Muon(torch.optim.Optimizer):
    """Jordan et al. (2024), "Muon", with the update's size after Liu et al. (2025), equation (4); Adam for the rest.

    A convolution's weight [O, I, k, k] counts as a matrix of O rows. Momentum is Nesterov's; no weight decay.
    """

    def __init__(self, parameters: Iterable[Any], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient; ``closure`` is not supported and must be None."""
        if closure is not None:
            raise ValueError("Muon evaluates no closure")
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    update = _matrix_update if is_matrix(parameter) else _adam_update
                    parameter.sub_(update(parameter.grad, self.state[parameter]), alpha=group["lr"])


def is_matrix(parameter: Tensor) -> bool:
    """Whether Muon updates it as a matrix; else Adam does."""
    return parameter.ndim > 1 and len(parameter) >= _LEAST_ROWS


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix [R, C] with all its singular values brought to about 1, by five Newton-Schulz iterations."""
    a, b, c = _QUINTIC
    wide: Tensor = matrix / (matrix.norm() + 1e-7)
    if len(wide) > wide.shape[1]:
        wide = wide.T
    for _ in range(_ITERATIONS):
        gram = wide @ wide.T
        wide = a * wide + (b * gram + c * gram @ gram) @ wide
    return wide if wide.shape == matrix.shape else wide.T


def _matrix_update(gradient: Tensor, state: dict[str, Any]) -> Tensor:
    momentum: Tensor = state.setdefault("momentum", torch.zeros_like(gradient))
    momentum.mul_(_MOMENTUM).add_(gradient)
    matrix = (gradient + _MOMENTUM * momentum).flatten(1)
    scale = _RMS * max(matrix.shape) ** 0.5
    update: Tensor = orthogonal(matrix) * scale
    return update.view_as(gradient)


def _adam_update(gradient: Tensor, state: dict[str, Any]) -> Tensor:
    first: Tensor = state.setdefault("first", torch.zeros_like(gradient))
    second: Tensor = state.setdefault("second", torch.zeros_like(gradient))
    step = state["step"] = state.get("step", 0) + 1
    first.lerp_(gradient, 1 - _BETAS[0])
    second.lerp_(gradient.square(), 1 - _BETAS[1])
    mean: Tensor = first / (1 - _BETAS[0] ** step)
    square: Tensor = second / (1 - _BETAS[1] ** step)
    return mean / (square.sqrt() + _EPSILON)
