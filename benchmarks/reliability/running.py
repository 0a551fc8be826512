"""A service of its own for an experiment, and what its gateway's log says of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.clip import write_clip
from service.embedded import EmbeddedOptions
from tests.support.models import write_model
from tests.support.stack import started_stack

MODEL = "identity"
"""Returns its frames: what is tried here is everything around the network."""
_ANSWER = re.compile(r" [A-Z]+ \S.* (\d{3}) \[")
_PROMISED = ("503", "507")
"""Answers of 5xx that clients can act on."""


@dataclass(frozen=True)
class Verdict:
    """What the gateway's log says."""

    answers: int
    faults: tuple[str, ...]
    """Lines of answers that no client can act on, and beginnings of tracebacks."""


@dataclass(frozen=True)
class Running:
    """A running service."""

    url: str
    data: Path
    clip: Path
    """A video of six frames."""

    def log_size(self) -> int:
        return self._log.stat().st_size

    def verdict(self, since: int = 0) -> Verdict:
        """Reads the log from a position on."""
        with self._log.open("rb") as file:
            file.seek(since)
            lines = file.read().decode("utf-8", "replace").splitlines()
        statuses = [(match[1], line) for line in lines if (match := _ANSWER.search(line))]
        faults = [line for status, line in statuses if status >= "500" and status not in _PROMISED]
        faults += [line for line in lines if "Traceback (most recent call last)" in line]
        return Verdict(len(statuses), tuple(faults))

    @property
    def _log(self) -> Path:
        return self.data / "logs" / "gateway.log"


@contextmanager
def running(directory: Path, settings: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Runs a service with its data below ``directory``; ``settings`` are ``CDVD_...`` variables."""
    models, data = directory / "models", directory / "data"
    write_model(models, MODEL)
    shades = np.linspace(0, 255, 6 * 64 * 96 * 3).reshape(6, 64, 96, 3).astype(np.uint8)
    write_clip(directory / "clip.mp4", shades, rate=25)
    options = EmbeddedOptions(data=data, models=models, model=MODEL)
    with started_stack(options, settings or {}) as stack:
        yield Running(stack.url, data, directory / "clip.mp4")
