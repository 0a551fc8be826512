"""Samples without end, made by worker processes and taken without waiting for them."""

from __future__ import annotations

import queue
import threading
from dataclasses import replace

import numpy as np

from cascade.training.samples import Batch, Samples, batch_loader
from cascade.training.sources import Source, TrainingSample

_ENDLESS = 10**9
"""Samples after which a stream would end: years."""
_READY = 8
"""Batches that wait to be taken."""
_PATIENCE = 0.2
"""Seconds after which a thread that waits looks whether it should end."""


class SampleStream:
    """Makes samples in batches, by a thread of its own and the workers.

    The workers are started at once: before CUDA is, whose state a forked process must not inherit.
    """

    def __init__(self, samples: Samples, batch: int, workers: int, pin_memory: bool) -> None:
        self._batches = iter(batch_loader(samples, batch, workers, pin_memory))
        self._ready: queue.Queue[Batch | Exception] = queue.Queue(_READY)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._pull, name="samples", daemon=True)
        self._thread.start()

    def take(self, patience: float = 0.0) -> Batch | None:
        """Returns the next batch, or None when there is none within ``patience`` seconds.

        Raises what the making of a sample raised.
        """
        try:
            item = self._ready.get(timeout=patience) if patience else self._ready.get_nowait()
        except queue.Empty:
            return None
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        """Ends the thread, and then the workers."""
        self._stopping.set()
        self._thread.join()
        del self._batches

    def _pull(self) -> None:
        while not self._stopping.is_set():
            try:
                item: Batch | Exception = next(self._batches)
            except Exception as error:  # noqa: BLE001  # it is raised where the batch is taken
                item = error
            self._put(item)
            if isinstance(item, Exception):
                return

    def _put(self, item: Batch | Exception) -> None:
        while not self._stopping.is_set():
            try:
                self._ready.put(item, timeout=_PATIENCE)
            except queue.Full:
                continue
            return


class CompactSource:
    """Makes a source's samples with flows in half precision, as the ring keeps them: fewer bytes between processes."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def sample(self, seed: int, index: int) -> TrainingSample:
        sample = self.source.sample(seed, index)
        if sample.flows is None:
            return sample
        return replace(sample, flows=sample.flows.astype(np.float16))


def endless(source: Source, seed: int, start: int) -> Samples:
    """Returns the samples of a source from number ``start`` on."""
    return Samples(CompactSource(source), seed=seed, start=start, count=_ENDLESS)
