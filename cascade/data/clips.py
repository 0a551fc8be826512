"""Clips to measure on: short videos in memory whose sharp frames are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cascade.data.folders import PairedVideo, PairingError, find_videos, read_frames
from cascade.synthesis.synthesize import SynthesisConfig, synthesize

Frames = NDArray[np.uint8]

_HELD_OUT_SEED = 1_000_003
"""Far from the seeds that trainings use, so that no training meets these clips."""
_SYNTHETIC_CLIPS = 12


@dataclass(frozen=True, eq=False)
class Clip:
    """A video as a camera gave it, and as it should have been."""

    name: str
    blurred: Frames
    """uint8 [N, H, W, 3] RGB."""
    sharp: Frames
    """uint8 [N, H, W, 3] RGB: the same frames without blur."""
    synthetic: bool = False
    """Whether the blur was synthesized; else it was recorded, or averaged from recorded frames."""


def read_clip(video: PairedVideo) -> Clip:
    """Reads a paired video. Raises PairingError for unreadable frames and for halves of different sizes."""
    blurred, sharp = read_frames(video.blurred), read_frames(video.sharp)
    if blurred.shape != sharp.shape:
        raise PairingError(f"Blurred and sharp frames of {video.name!r} differ in size.")
    return Clip(video.name, blurred, sharp)


def paired_clips(root: Path) -> Iterator[Clip]:
    """Reads every video of a folder with blurred and sharp frames, one at a time. Raises PairingError."""
    return map(read_clip, find_videos(root))


def synthetic_clips(photos: Sequence[Frames], side: int = 192, frames: int = 5) -> Iterator[Clip]:
    """Makes twelve clips of ``frames`` square frames of ``side`` pixels, the same ones every time.

    ``photos`` are uint8 [h, w, 3] RGB; for a fair measurement, pictures that training never sees.
    Raises ValueError without photographs.
    """
    config = SynthesisConfig(frames=frames, height=side, width=side)
    for index in range(_SYNTHETIC_CLIPS):
        sample = synthesize(photos, config, np.random.default_rng((_HELD_OUT_SEED, index)))
        yield Clip(f"synthetic_{index:02}", sample.blurred, sample.sharp, synthetic=True)
