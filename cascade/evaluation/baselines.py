"""Baselines without learning: sharpening each frame alone, and merging aligned frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.evaluation.burst import accumulate
from cascade.evaluation.metrics import protocol_crop, psnr

Frames = NDArray[np.uint8]

SIGMAS = (0.7, 1.5, 3.0, 6.0)
"""Standard deviations of the Gaussian mask that are tried, in pixels."""
AMOUNTS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Amounts that are tried: how many times the mask is added."""


def burst_restorer(video: Frames, wanted: range) -> list[Frames]:
    """Restores frames ``wanted`` of ``video`` uint8 [N, H, W, 3] RGB by Fourier burst accumulation."""
    return [np.stack([accumulate(video, number) for number in wanted])]


class UnsharpRestorer:
    """Masks unsharply: adds ``amount`` times what a Gaussian of ``sigma`` pixels takes away."""

    def __init__(self, sigma: float, amount: float) -> None:
        self.sigma, self.amount = sigma, amount

    def __call__(self, video: Frames, wanted: range) -> list[Frames]:
        """Sharpens frames ``wanted`` of ``video`` uint8 [N, H, W, 3] RGB."""
        return [np.stack([self.sharpen(video[number]) for number in wanted])]

    def sharpen(self, frame: Frames) -> Frames:
        """Sharpens one frame, uint8 [H, W, 3] RGB."""
        soft = cv2.GaussianBlur(frame, (0, 0), self.sigma)
        return np.asarray(cv2.addWeighted(frame, 1 + self.amount, soft, -self.amount, 0), np.uint8)


def best_unsharp(blurred: Frames, sharp: Frames, measured: range) -> UnsharpRestorer:
    """Returns the setting with the highest PSNR on the frames ``measured`` of videos uint8 [N, H, W, 3] RGB.

    The choice sees the truth, in the baseline's favor; an amount of 0 is a choice too.
    """
    pairs = [(blurred[number], sharp[number]) for number in measured]
    return max(_settings(), key=lambda setting: _mean_psnr(setting, pairs))


def _settings() -> Iterator[UnsharpRestorer]:
    yield UnsharpRestorer(1.0, 0.0)
    for sigma, amount in product(SIGMAS, AMOUNTS):
        yield UnsharpRestorer(sigma, amount)


def _mean_psnr(setting: UnsharpRestorer, pairs: Iterable[tuple[Frames, Frames]]) -> float:
    cropped = ((protocol_crop(setting.sharpen(frame)), protocol_crop(truth)) for frame, truth in pairs)
    return float(np.mean([psnr(frame, truth) for frame, truth in cropped]))
