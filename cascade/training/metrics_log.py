"""The log of a training: one JSON object per line, and the means over some steps that go into it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cascade.training.samples import Batch

logger = logging.getLogger(__name__)


class MetricsLog:
    """Writes ``log.jsonl``: a line per record, with the time of day and the seconds of training so far."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, seconds: float, record: Mapping[str, Any]) -> None:
        """Appends a record to the file and to the program's own log. Raises OSError."""
        line = json.dumps({"time": round(time.time(), 1), "seconds": round(seconds, 1), **record})
        logger.info("%s", line)
        with self.path.open("a") as log:
            log.write(line + "\n")


class Meter:
    """Measures speed, waiting and mean losses since the last `report`."""

    def __init__(self) -> None:
        self._restart()

    def watch(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yields the batches, and counts the time until each is there as waiting."""
        iterator = iter(batches)
        while True:
            start = time.monotonic()
            batch = next(iterator, None)
            self._waited += time.monotonic() - start
            if batch is None:
                return
            yield batch

    def add(self, samples: int, terms: Mapping[str, float]) -> None:
        """Counts one step of ``samples`` samples and its terms of the loss.

        A term is averaged over the steps that have it, since not all batches have exact flow.
        """
        self._samples += samples
        for name, value in terms.items():
            total, count = self._terms.get(name, (0.0, 0))
            self._terms[name] = total + value, count + 1

    def report(self) -> dict[str, float]:
        """Returns ``samples_per_s``, ``waiting`` (share of the time in which no batch was there) and the mean terms."""
        elapsed = max(time.monotonic() - self._start, 1e-9)
        report = {
            "samples_per_s": round(self._samples / elapsed, 2),
            "waiting": round(self._waited / elapsed, 3),
        }
        report |= {name: round(total / count, 5) for name, (total, count) in self._terms.items()}
        self._restart()
        return report

    def _restart(self) -> None:
        self._start = time.monotonic()
        self._waited = 0.0
        self._samples = 0
        self._terms: dict[str, tuple[float, int]] = {}
