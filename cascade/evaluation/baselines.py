"""What a restoration must beat: sharpening each frame alone, and merging aligned frames, both without learning."""

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
"""Of the Gaussian mask, in pixels."""
AMOUNTS = (0.1, 0.2, 0.4, 0.8, 1.6)


def burst_restorer(video: Frames, wanted: range) -> list[Frames]:
    """Fourier burst accumulation: frames ``wanted`` of ``video`` uint8 [N, H, W, 3] RGB."""
    return [np.stack([accumulate(video, number) for number in wanted])]


class UnsharpRestorer:
    """Unsharp masking: adds ``amount`` times what a Gaussian of ``sigma`` pixels takes away."""

    def __init__(self, sigma: float, amount: float) -> None:
        self.sigma, self.amount = sigma, amount

    def __call__(self, video: Frames, wanted: range) -> list[Frames]:
        """Frames ``wanted`` of ``video`` uint8 [N, H, W, 3] RGB."""
        return [np.stack([self.sharpen(video[number]) for number in wanted])]

    def sharpen(self, frame: Frames) -> Frames:
        """``frame`` uint8 [H, W, 3] RGB, as uint8."""
        soft = cv2.GaussianBlur(frame, (0, 0), self.sigma)
        return np.asarray(cv2.addWeighted(frame, 1 + self.amount, soft, -self.amount, 0), np.uint8)


def best_unsharp(blurred: Frames, sharp: Frames, measured: range) -> UnsharpRestorer:
    """The setting with the highest PSNR on the frames ``measured``.

    It is chosen with sight of the truth, in the baseline's favour; an amount of 0 is a choice too.
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
