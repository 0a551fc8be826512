"""How fast a training goes, and what it waits for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_STARVED = 0.05
"""Share of the time without samples from which on they are what a training waits for."""


class Pace:
    """Counts samples and waiting since the last `report`."""

    def __init__(self, made: int) -> None:
        """Begins after ``made`` samples were made."""
        self._restart(made)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Counts the time inside as waiting for samples."""
        start = time.monotonic()
        try:
            yield
        finally:
            self._waited += time.monotonic() - start

    def use(self, samples: int) -> None:
        """Counts samples that a step was made with."""
        self._used += samples

    def report(self, made: int) -> dict[str, float]:
        """Returns samples used and made per second, and the share of the time that was waiting for samples.

        ``made`` counts all samples that were made so far.
        """
        elapsed = max(time.monotonic() - self._start, 1e-9)
        report = {
            "samples_per_s": round(self._used / elapsed, 2),
            "made_per_s": round((made - self._made) / elapsed, 2),
            "waiting": round(self._waited / elapsed, 3),
        }
        self._restart(made)
        return report

    def _restart(self, made: int) -> None:
        self._start = time.monotonic()
        self._waited = 0.0
        self._used, self._made = 0, made


def describe(report: dict[str, float]) -> str:
    """Returns in a sentence what a `Pace.report` says."""
    cause = "making samples" if report["waiting"] > _STARVED else "the device"
    return (
        f"Samples a second: {report['made_per_s']} made, {report['samples_per_s']} used. "
        f"Waited for samples {report['waiting']:.1%} of the time: {cause} sets the pace."
    )
