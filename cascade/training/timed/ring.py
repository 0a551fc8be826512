"""A ring of samples on the device: new ones replace the oldest, and batches are drawn from all of them again."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from cascade.training.errors import TrainingError
from cascade.training.samples import Batch
from cascade.training.timed import cuda
from cascade.training.timed.turns import random_turn, turned


class SampleRing:
    """Keeps the latest samples; it takes its memory when the first ones come, and flows in half precision."""

    def __init__(self, size: int, device: torch.device, with_colors: bool) -> None:
        """Holds ``size`` samples at most. ``with_colors`` draws them with their colors in any order."""
        self.size, self.device, self.with_colors = size, device, with_colors
        self.taken = 0
        """Samples that were put in so far."""
        self._blurred = self._sharp = self._flows = torch.empty(0)

    @property
    def filled(self) -> int:
        """Samples that batches are drawn from."""
        return min(self.taken, self.size)

    def put(self, batch: Batch) -> None:
        """Replaces the oldest samples by those of ``batch``, at most `size`. Raises TrainingError without flows."""
        if batch.flows is None:
            raise TrainingError(
                "Only samples with exact flow are drawn again from a ring: paired videos have none."
            )
        parts = (batch.blurred, batch.sharp, batch.flows.transpose(0, 1))
        if not self.taken:
            self._shrink(sum(part[0].numel() for part in parts[:2]) + 2 * parts[2][0].numel())
            self._blurred, self._sharp = (self._like(part, torch.uint8) for part in parts[:2])
            self._flows = self._like(parts[2], torch.float16)
        count = len(batch.blurred)
        at = torch.arange(self.taken, self.taken + count, device=self.device) % self.size
        for kept, part in zip((self._blurred, self._sharp, self._flows), parts, strict=True):
            kept.index_copy_(0, at, part.to(self.device, non_blocking=True).to(kept.dtype))
        self.taken += count

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Returns ``count`` random samples, turned at random, on the ring's device."""
        # Without waiting: the copy of a few numbers must not let the CPU fall behind the device.
        picks = torch.from_numpy(rng.integers(self.filled, size=count)).to(self.device, non_blocking=True)
        flows = self._flows[picks].float().transpose(0, 1)
        batch = Batch(self._blurred[picks], self._sharp[picks], flows)
        return turned(batch, random_turn(rng, self.with_colors))

    def _shrink(self, sample_bytes: int) -> None:
        """Makes the ring as small as a GPU's memory demands."""
        if self.device.type == "cuda":
            self.size = max(1, min(self.size, cuda.most_samples(sample_bytes)))

    def _like(self, part: Tensor, dtype: torch.dtype) -> Tensor:
        return torch.empty((self.size, *part.shape[1:]), dtype=dtype, device=self.device)
