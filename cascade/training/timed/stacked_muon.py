"""Muon over stacked parameters, without a value that the CPU would have to know: a CUDA graph can hold it."""

from __future__ import annotations

import torch
from torch import Tensor

from cascade.training.muon import adam_update, matrix_update
from cascade.training.timed.stacks import StackedParameters


class StackedMuon:
    """Does what `cascade.training.muon.Muon` does, for all matrices of one shape at once."""

    def __init__(self, parameters: StackedParameters) -> None:
        self.parameters = parameters
        self.momentum = [torch.zeros_like(master) for master in parameters.masters]
        """Muon's momentum, and Adam's first moment for small parameters."""
        self.second = [
            torch.zeros_like(master[:0] if stack.matrices else master)
            for stack, master in zip(parameters.stacks, parameters.masters, strict=True)
        ]
        """Adam's second moment; empty for matrices."""
        self.count = torch.zeros((), device=parameters.masters[0].device)
        """Updates so far."""

    @property
    def tensors(self) -> list[Tensor]:
        """All that an update changes, beside the parameters."""
        return [*self.momentum, *self.second, self.count]

    @torch.no_grad()
    def update(self, gradients: list[Tensor], rate: Tensor) -> None:
        """Moves the stacks by their ``gradients``, which lie as they do, at a scalar ``rate``."""
        self.count += 1
        stacks = zip(
            self.parameters.stacks,
            self.parameters.masters,
            gradients,
            self.momentum,
            self.second,
            strict=True,
        )
        for stack, master, gradient, momentum, second in stacks:
            if stack.matrices:
                update = matrix_update(gradient, momentum, rows=1)
            else:
                update = adam_update(gradient, momentum, second, self.count)
            master.sub_(update * rate)

    def state(self) -> dict[str, dict[str, Tensor]]:
        """Returns views of what the next update depends on, by parameter."""
        second = [s if s.numel() else m for s, m in zip(self.second, self.momentum, strict=True)]
        small = {name for stack in self.parameters.stacks if not stack.matrices for name in stack.names}
        return {
            "momentum": self.parameters.named(self.momentum),
            "second": {n: t for n, t in self.parameters.named(second).items() if n in small},
            "count": {"count": self.count},
        }

    @torch.no_grad()
    def load(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Takes the state that `state` returned. Raises KeyError for that of another network."""
        self.parameters.assign(self.momentum, state["momentum"])
        self.count.copy_(state["count"]["count"])
        for stack, second in zip(self.parameters.stacks, self.second, strict=True):
            if not stack.matrices:
                second.copy_(stack.pack([state["second"][name] for name in stack.names]))
