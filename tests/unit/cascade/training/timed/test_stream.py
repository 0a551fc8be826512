"""The stream of samples: in order, from where it should begin, and what goes wrong is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cascade.training.samples import Batch
from cascade.training.sources import TrainingSample
from cascade.training.timed.stream import SampleStream, endless

_PATIENCE = 120.0


class _Counting:
    """Makes samples that show their number; number ``broken`` cannot be made."""

    def __init__(self, broken: int = -1) -> None:
        self.broken = broken

    def sample(self, seed: int, index: int) -> TrainingSample:
        if index == self.broken:
            raise ValueError(f"Sample {index} is broken.")
        frames = np.full((5, 8, 8, 3), index, np.uint8)
        return TrainingSample(frames, frames, np.full((2, 3, 8, 8, 2), seed / 3, np.float32))


def _take(stream: SampleStream) -> Batch:
    batch = stream.take(_PATIENCE)
    assert batch is not None
    return batch


@pytest.mark.parametrize("workers", [0, 2])
def test_samples_come_in_order_with_flows_in_half_precision(workers: int) -> None:
    stream = SampleStream(endless(_Counting(), seed=1, start=5), 2, workers, pin_memory=False)
    try:
        batches = [_take(stream) for _ in range(3)]
    finally:
        stream.close()
    assert [batch.sharp[:, 0, 0, 0, 0].tolist() for batch in batches] == [[5, 6], [7, 8], [9, 10]]
    flows = batches[0].flows
    assert flows is not None
    assert flows.dtype == torch.float16
    assert flows.shape == (2, 2, 3, 2, 8, 8)


def test_what_is_not_ready_is_not_waited_for() -> None:
    stream = SampleStream(endless(_Counting(broken=0), 1, start=0), 1, 0, pin_memory=False)
    with pytest.raises(ValueError, match="Sample 0 is broken"):
        stream.take(_PATIENCE)
    assert stream.take() is None
    stream.close()


def test_a_stream_that_nobody_takes_from_ends() -> None:
    stream = SampleStream(endless(_Counting(), 1, start=0), 1, 1, pin_memory=False)
    _take(stream)
    stream.close()
