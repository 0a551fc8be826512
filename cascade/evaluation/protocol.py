"""The evaluation protocol behind the published tables: what is measured, and how the figures are averaged.

Every frame of every video but the two at each end; frames cropped right and bottom to multiples of 4; results rounded
and clamped to 8 bits; 4 pixels cropped on each side; PSNR and SSIM averaged over all frames of all videos.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade.evaluation.metrics import Quality, crop_to_multiple, measure
from cascade.evaluation.restorers import Fitting
from cascade.evaluation.validation import Clip

Frames = NDArray[np.uint8]

CONTEXT = 2
"""Frames at each end of a video that are not measured."""


class ProtocolError(ValueError):
    """The video cannot be measured by the protocol; the message says why."""


@dataclass(frozen=True)
class VideoScore:
    """Means over a video's measured frames."""

    name: str
    frames: int
    seconds_per_frame: float
    qualities: dict[str, Quality]
    """"input", "stage1" and so on (where stages show), and "restored", in this order."""


@dataclass(frozen=True)
class Evaluated:
    """What was made of one video, beside what was given and what should have been made."""

    name: str
    blurred: Frames
    """uint8 [N, H, W, 3] RGB: the whole video, cropped as the protocol says."""
    sharp: Frames
    """The same."""
    measured: range
    """Numbers of the T frames that the following are of."""
    stages: dict[str, Frames]
    """"stage1" and so on (where stages show), and "restored": uint8 [T, H, W, 3]."""
    qualities: dict[str, list[Quality]]
    """Of "input" and of the stages: T each."""
    seconds: float
    """That restoring took."""

    @property
    def score(self) -> VideoScore:
        means = {key: _mean(values) for key, values in self.qualities.items()}
        return VideoScore(self.name, len(self.measured), self.seconds / len(self.measured), means)


def evaluate_video(clip: Clip, fit: Fitting, every: bool = False) -> Evaluated:
    """Restore and measure a clip's inner frames, or all with ``every``. Raises ProtocolError."""
    name, blurred, sharp = clip[0], crop_to_multiple(clip[1]), crop_to_multiple(clip[2])
    measured = _measured_frames(name, len(blurred), every)
    restore = fit(blurred, sharp, measured)
    start = time.perf_counter()
    *between, result = restore(blurred, measured)
    seconds = time.perf_counter() - start
    stages = {f"stage{number}": frames for number, frames in enumerate(between, start=1)}
    stages["restored"] = result
    inner = slice(measured.start, measured.stop)
    qualities = {
        key: [*map(measure, frames, sharp[inner])]
        for key, frames in {"input": blurred[inner], **stages}.items()
    }
    return Evaluated(name, blurred, sharp, measured, stages, qualities, seconds)


def total(scores: Sequence[VideoScore]) -> dict[str, Quality]:
    """Means over all frames of all videos."""
    frames = [score.frames for score in scores]
    return {
        key: Quality(
            float(np.average([score.qualities[key].psnr for score in scores], weights=frames)),
            float(np.average([score.qualities[key].ssim for score in scores], weights=frames)),
        )
        for key in scores[0].qualities
    }


def _measured_frames(name: str, count: int, every: bool) -> range:
    context = 0 if every else CONTEXT
    if count <= 2 * context:
        raise ProtocolError(
            f"{name} has {count} frames, of which the protocol measures none; it needs {2 * context + 1}"
        )
    return range(context, count - context)


def _mean(qualities: Sequence[Quality]) -> Quality:
    return Quality(
        float(np.mean([quality.psnr for quality in qualities])),
        float(np.mean([quality.ssim for quality in qualities])),
    )
