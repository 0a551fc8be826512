"""Samples in batches, made by worker processes."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cascade.training.sources import Source, TrainingSample


@dataclass(frozen=True)
class Batch:
    """B samples of N frames of H x W, all with exact flow or all without."""

    blurred: Tensor
    """uint8 [B, N, H, W, 3] RGB."""
    sharp: Tensor
    """uint8 [B, N, H, W, 3] RGB."""
    flows: Tensor | None
    """float32 [2, B, N-2, 2, H, W] in pixels: exact flow from each inner frame to its previous and its next one."""

    def to(self, device: torch.device) -> Batch:
        """Copies the batch to another device."""
        flows = None if self.flows is None else self.flows.to(device, non_blocking=True)
        blurred = self.blurred.to(device, non_blocking=True)
        return Batch(blurred, self.sharp.to(device, non_blocking=True), flows)

    def pin_memory(self) -> Batch:
        """Copies the batch to page-locked memory, from where copies to a GPU run beside computation.

        torch's loader calls it by this name.
        """
        flows = None if self.flows is None else self.flows.pin_memory()
        return Batch(self.blurred.pin_memory(), self.sharp.pin_memory(), flows)


class Samples(Dataset[TrainingSample]):
    """``count`` samples of a source from number ``start`` on: those that a longer run would have seen there."""

    def __init__(self, source: Source, seed: int, start: int, count: int) -> None:
        self.source, self.seed = source, seed
        self.start, self.count = start, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> TrainingSample:
        return self.source.sample(self.seed, self.start + index)


def batch_loader(samples: Samples, batch: int, workers: int, pin_memory: bool = False) -> DataLoader[Batch]:
    """Makes batches in the order of the samples by ``workers`` processes of one thread each, or here with none."""
    return DataLoader(
        samples,  # type: ignore[arg-type]  # `collate` makes batches of samples
        batch_size=batch,
        num_workers=workers,
        collate_fn=collate,
        pin_memory=pin_memory,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_prepare_worker,
        # Its own generator: drawing the workers' seed from the global one would make a resumed run differ.
        generator=torch.Generator(),
    )


def collate(samples: Sequence[TrainingSample]) -> Batch:
    """Stacks samples, all with exact flow or all without, as a batch."""
    flows = [sample.flows for sample in samples if sample.flows is not None]
    stacked = torch.from_numpy(np.stack(flows, axis=1)).permute(0, 1, 2, 5, 3, 4) if flows else None
    return Batch(
        blurred=torch.from_numpy(np.stack([sample.blurred for sample in samples])),
        sharp=torch.from_numpy(np.stack([sample.sharp for sample in samples])),
        flows=stacked,
    )


def images(frames: Tensor) -> Tensor:
    """Converts uint8 [B, N, H, W, 3] to float32 [B, N, 3, H, W] in [0, 1]."""
    return frames.permute(0, 1, 4, 2, 3).float() / 255


def _prepare_worker(worker: int) -> None:
    """Gives a worker one thread, and leaves signals to the whole process group to the parent.

    The parent saves, then ends its workers. A worker that died of a signal would raise in the parent, in the middle of
    whatever it does, before it has saved.
    """
    del worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
