"""The evaluation protocol behind the published tables: what is measured, and how the figures are averaged.

It measures every frame of every video but the two at each end. Frames are cropped right and bottom to multiples of
4, results are rounded and clamped to 8 bits, 4 pixels are cropped on each side, and PSNR and SSIM are averaged over
all frames of all videos.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cascade.data.clips import Clip
from cascade.evaluation.flicker import flicker
from cascade.evaluation.metrics import Quality, crop_to_multiple, measure, protocol_crop
from cascade.evaluation.restorers import FitFunction

Frames = NDArray[np.uint8]

CONTEXT = 2
"""Frames at each end of a video that are not measured."""


class ProtocolError(ValueError):
    """Raised for a video that cannot be measured by the protocol; the message says why."""


@dataclass(frozen=True)
class VideoScore:
    """Means over a video's measured frames."""

    name: str
    frames: int
    """How many frames were measured."""
    seconds_per_frame: float
    qualities: dict[str, Quality]
    """By "input", "stage1" and so on (where the restorer returns stages), and "restored", in this order."""
    psnrs: dict[str, tuple[float, ...]]
    """Of each measured frame in dB, by the same names."""
    flicker: dict[str, float]
    """In levels, by the same names; empty where one frame was measured."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One video: what was given, what should have been made of it, and what was."""

    name: str
    blurred: Frames
    """uint8 [N, H, W, 3] RGB: the whole video, cropped as the protocol says."""
    sharp: Frames
    """uint8 [N, H, W, 3] RGB, cropped alike."""
    measured: range
    """Numbers of the T frames that were restored and measured."""
    stages: dict[str, Frames]
    """By "stage1" and so on (where the restorer returns stages), and "restored": uint8 [T, H, W, 3] RGB."""
    qualities: dict[str, list[Quality]]
    """By "input" and the names of the stages: T each."""
    seconds: float
    """Time that restoring took."""

    @property
    def score(self) -> VideoScore:
        """The means over the measured frames."""
        frames = len(self.measured)
        means = {key: _mean(values) for key, values in self.qualities.items()}
        psnrs = {key: tuple(quality.psnr for quality in values) for key, values in self.qualities.items()}
        return VideoScore(self.name, frames, self.seconds / frames, means, psnrs, self._flicker())

    def _flicker(self) -> dict[str, float]:
        inner = slice(self.measured.start, self.measured.stop)
        videos = {"input": self.blurred[inner], **self.stages}
        cropped = {key: protocol_crop(frames) for key, frames in videos.items()}
        return flicker(cropped, protocol_crop(self.sharp[inner]))


def evaluate_clip(clip: Clip, fit: FitFunction, all_frames: bool = False) -> Evaluation:
    """Restores and measures a clip's inner frames, or all of its frames. Raises ProtocolError."""
    blurred, sharp = crop_to_multiple(clip.blurred), crop_to_multiple(clip.sharp)
    measured = _measured_frames(clip.name, len(blurred), all_frames)
    restore = fit(blurred, sharp, measured)
    start = time.perf_counter()
    *early_stages, result = restore(blurred, measured)
    seconds = time.perf_counter() - start
    stages = {f"stage{number}": frames for number, frames in enumerate(early_stages, start=1)}
    stages["restored"] = result
    inner = slice(measured.start, measured.stop)
    qualities = {
        key: [*map(measure, frames, sharp[inner])]
        for key, frames in {"input": blurred[inner], **stages}.items()
    }
    return Evaluation(clip.name, blurred, sharp, measured, stages, qualities, seconds)


def total(scores: Sequence[VideoScore]) -> dict[str, Quality]:
    """Returns the means over all frames of all videos, by the names of the first score's qualities."""
    frames = [score.frames for score in scores]
    return {
        key: Quality(
            float(np.average([score.qualities[key].psnr for score in scores], weights=frames)),
            float(np.average([score.qualities[key].ssim for score in scores], weights=frames)),
        )
        for key in scores[0].qualities
    }


def total_flicker(scores: Sequence[VideoScore]) -> dict[str, float]:
    """Returns the mean flicker in levels over the measured frames of the videos that have one, by the same names."""
    measured = [score for score in scores if score.flicker]
    frames = [score.frames for score in measured]
    return {
        key: float(np.average([score.flicker[key] for score in measured], weights=frames))
        for key in (measured[0].flicker if measured else ())
    }


def _measured_frames(name: str, count: int, all_frames: bool) -> range:
    context = 0 if all_frames else CONTEXT
    if count <= 2 * context:
        raise ProtocolError(
            f"The protocol measures no frame of {name}, whose length is {count}; it needs {2 * context + 1} frames."
        )
    return range(context, count - context)


def _mean(qualities: Sequence[Quality]) -> Quality:
    return Quality(
        float(np.mean([quality.psnr for quality in qualities])),
        float(np.mean([quality.ssim for quality in qualities])),
    )
