"""Synthetic training samples as a torch data set: sample ``i`` is a function of the seed and ``i`` alone."""

from __future__ import annotations

import signal
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from cascade.data.synthesis import SynthesisConfig, synthesize

Batch = dict[str, Tensor]
"""``blurred``, ``sharp`` uint8 [B, N, H, W, 3]; ``flow_next``, ``flow_previous`` float32 [B, N-1, H, W, 2]."""


class SyntheticSamples(Dataset[dict[str, NDArray[np.generic]]]):
    """``count`` samples from ``start`` on; starting later gives the samples that a longer run would have seen."""

    def __init__(
        self,
        photos: Sequence[NDArray[np.uint8]],
        config: SynthesisConfig,
        seed: int,
        start: int,
        count: int,
    ) -> None:
        self.photos, self.config, self.seed = photos, config, seed
        self.start, self.count = start, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, NDArray[np.generic]]:
        rng = np.random.default_rng((self.seed, self.start + index))
        sample = synthesize(self.photos, self.config, rng)
        return {
            "blurred": sample.blurred,
            "sharp": sample.sharp,
            "flow_next": sample.flow_next,
            "flow_previous": sample.flow_previous,
        }


def loader(samples: SyntheticSamples, batch: int, workers: int) -> DataLoader[Batch]:
    """Batches in the order of the indices, made by ``workers`` processes of one thread each."""
    return DataLoader(
        samples,  # type: ignore[arg-type]  # collation turns its arrays into tensors
        batch_size=batch,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_prepare_worker,
        # Its own generator: drawing the workers' seed from the global one would make a resumed run differ.
        generator=torch.Generator(),
    )


def images(frames: Tensor) -> Tensor:
    """uint8 [B, N, H, W, 3] to float32 [B, N, 3, H, W] in [0, 1]."""
    return frames.permute(0, 1, 4, 2, 3).float() / 255


def neighbour_flows(batch: Batch) -> Tensor:
    """The exact flow from every inner frame to its previous and its next one: [2, B, N-2, 2, H, W]."""
    previous, following = batch["flow_previous"][:, :-1], batch["flow_next"][:, 1:]
    return torch.stack((previous, following)).permute(0, 1, 2, 5, 3, 4)


def _prepare_worker(worker: int) -> None:
    """One thread each; Ctrl-C is for the parent, which saves and then ends its workers."""
    del worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
