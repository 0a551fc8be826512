"""One network in training: its weights in stacks, their average, the optimizer, and a step on given samples."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from cascade.network.cascade import Cascade
from cascade.training.objective import loss_terms
from cascade.training.phase import Phase
from cascade.training.samples import Batch
from cascade.training.timed.stacked_muon import StackedMuon
from cascade.training.timed.stacks import StackedParameters


@dataclass(frozen=True)
class LearnerSettings:
    """How a network is trained, whichever it is."""

    phase: Phase
    device: torch.device
    bfloat16: bool
    """Whether the network computes on weights in bfloat16, under autocast."""
    ema_decay: float
    """Decay per step of the averaged weights."""
    max_norm: float
    """Norm that gradients are clipped to."""


class Learner:
    """Trains one network. A step reads and writes the same tensors every time, as CUDA graphs ask for."""

    def __init__(self, name: str, cascade: Cascade, rate: float, settings: LearnerSettings) -> None:
        """Trains ``cascade``; ``rate`` is the highest learning rate that its steps will be told."""
        self.name, self.rate, self.settings = name, rate, settings
        self.cascade = cascade.to(settings.device).train()
        dtype = torch.bfloat16 if settings.bfloat16 else torch.float32
        self.parameters = StackedParameters(self.cascade, dtype)
        self.average = [master.clone() for master in self.parameters.masters]
        """The averaged weights, as the stacks lie: what is exported."""
        self.optimizer = StackedMuon(self.parameters)
        self.last_rate = 0.0
        self._rate = torch.zeros((), device=settings.device)
        self._sums = torch.zeros(0, device=settings.device)
        """Sums of the terms of the loss, and behind them the steps and those whose gradient was not finite."""
        self._terms: list[str] = []
        self._batch: Batch | None = None
        self._advance: Callable[[], None] = self.train

    def show(self, batch: Batch) -> None:
        """Puts the samples of the next step, of one size always, where the step reads them."""
        if self._batch is None:
            assert batch.flows is not None
            flows = batch.flows.contiguous().clone()
            self._batch = Batch(batch.blurred.contiguous().clone(), batch.sharp.contiguous().clone(), flows)
            return
        self._batch.blurred.copy_(batch.blurred)
        self._batch.sharp.copy_(batch.sharp)
        if self._batch.flows is not None and batch.flows is not None:
            self._batch.flows.copy_(batch.flows)

    def step(self, rate: float) -> None:
        """Learns from the samples that were shown.

        A gradient that is not finite counts as zero, and `report` tells of it.
        """
        self.last_rate = rate
        self._rate.fill_(rate)
        self._advance()

    def use_graph(self, capture: Callable[[Callable[[], None]], Callable[[], None]]) -> None:
        """Does each step as ``capture`` makes it of the eager one. Raises RuntimeError, and goes on eagerly."""
        with self.unchanged():
            self._advance = capture(self.train)

    def gradients(self) -> list[Tensor]:
        """Returns the gradients for the samples that were shown, as float32 stacks."""
        return self.parameters.gather(self._gradients()[1])

    def exact_gradients(self) -> list[Tensor]:
        """Returns the same gradients as the network has in float32 with the same weights, computed eagerly."""
        network = copy.deepcopy(self.cascade).float()
        values = torch.stack([*self._loss(network).values()])
        named = dict(network.named_parameters())
        parameters = [named[name] for stack in self.parameters.stacks for name in stack.names]
        found = torch.autograd.grad(values.sum(), parameters, materialize_grads=True)
        return self.parameters.gather(found)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Restores everything that steps change at the end."""
        changed = [*self.parameters.masters, *self.average, *self.optimizer.tensors]
        kept = [tensor.clone() for tensor in changed]
        try:
            yield
        finally:
            with torch.no_grad():
                for tensor, value in zip(changed, kept, strict=True):
                    tensor.copy_(value)
            self.parameters.publish()
            self._sums.zero_()

    def report(self) -> tuple[dict[str, float], int, int]:
        """Returns the mean terms of the loss since the last report, the steps, and those that were not finite."""
        if not len(self._sums):
            return {}, 0, 0
        *sums, steps, broken = self._sums.tolist()
        self._sums.zero_()
        sound = max(steps - broken, 1)
        return dict(zip(self._terms, (value / sound for value in sums), strict=True)), int(steps), int(broken)

    def averaged(self) -> Cascade:
        """Returns a network with the averaged weights, on the CPU."""
        cascade = Cascade(self.cascade.config)
        cascade.load_state_dict(self.parameters.named(self.average))
        return cascade.eval()

    def train(self) -> None:
        """Does a step eagerly, at the rate of the last one: what graphs are captured from and profiles are made of."""
        values, gradients = self._gradients()
        with torch.no_grad():
            gathered = self.parameters.gather(gradients)
            norm = torch.stack(torch._foreach_norm(gathered)).norm()
            sound = torch.isfinite(norm)
            self._count(values, sound)
            scale = _finite(torch.clamp(self.settings.max_norm / (norm + 1e-6), max=1.0)) * sound
            self.optimizer.update([_finite(gradient) * scale for gradient in gathered], self._rate)
            torch._foreach_lerp_(self.average, self.parameters.masters, 1 - self.settings.ema_decay)
            self.parameters.publish()

    def _count(self, values: Tensor, sound: Tensor) -> None:
        if not len(self._sums):
            self._sums = torch.zeros(len(values) + 2, device=values.device)
        self._sums[:-2] += _finite(values) * sound
        self._sums[-2] += 1
        self._sums[-1] += ~sound

    def _gradients(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Returns the terms of the loss and the gradients of their sum, as the parameters are."""
        kind, enabled = self.settings.device.type, self.settings.bfloat16
        # Casts kept from one forward pass to the next would not be part of a graph.
        with torch.autocast(kind, torch.bfloat16, enabled=enabled, cache_enabled=False):
            terms = self._loss(self.cascade)
        self._terms = list(terms)
        values = torch.stack([term.float() for term in terms.values()])
        found = torch.autograd.grad(values.sum(), self.parameters.parameters, materialize_grads=True)
        return values.detach(), found

    def _loss(self, cascade: Cascade) -> dict[str, Tensor]:
        assert self._batch is not None, "no samples were shown"
        return loss_terms(cascade, self.settings.phase, self._batch)


def _finite(tensor: Tensor) -> Tensor:
    """Returns the tensor with zero for what is no finite number, which zero times that would not be."""
    return torch.nan_to_num(tensor, nan=0.0, posinf=0.0, neginf=0.0)
