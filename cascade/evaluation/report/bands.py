"""Gains by strength of blur: frames sorted into bands by the PSNR of their input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cascade.evaluation.protocol import VideoScore

EDGES = (0.0, 20.0, 23.0, 26.0, 29.0, 32.0, float("inf"))
"""Bounds of the bands in dB: three decibels are half the error's power; few frames lie beyond the outer ones."""


@dataclass(frozen=True)
class Band:
    """The measured frames, of all videos, whose input lies between two PSNRs."""

    low: float
    """In dB, part of the band."""
    high: float
    """In dB, no longer part of it; infinite for the last one."""
    frames: int
    input: float
    """Mean PSNR in dB."""
    restored: float
    """Mean PSNR in dB."""
    least_gain: float
    """Of one frame, in dB."""

    @property
    def gain(self) -> float:
        """The mean gain in dB."""
        return self.restored - self.input


def blur_bands(scores: Sequence[VideoScore]) -> list[Band]:
    """Returns the bands that hold frames, the most blurred first. Frames equal to their truth belong to none."""
    pairs = np.array([pair for score in scores for pair in _finite(score)]).reshape(-1, 2)
    bands = []
    for low, high in pairwise(EDGES):
        given, restored = pairs[(low <= pairs[:, 0]) & (pairs[:, 0] < high)].T
        if given.size:
            gains = restored - given
            means = float(given.mean()), float(restored.mean())
            bands.append(Band(low, high, given.size, *means, float(gains.min())))
    return bands


def _finite(score: VideoScore) -> Iterator[tuple[float, float]]:
    """Yields the PSNR of input and result of each frame whose input is not the truth itself."""
    for given, restored in zip(score.psnrs["input"], score.psnrs["restored"], strict=True):
        if np.isfinite(given):
            yield given, restored
