"""Fourier burst accumulation (Delbracio and Sapiro 2015): what can be gained without learning anything.

Blur by shaking attenuates other frequencies in every frame, and never amplifies any. So of the aligned frames'
Fourier coefficients the largest are the least blurred, and a mean weighted by a high power of the magnitudes is
sharper than each frame.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.evaluation.dis_flow import Flow, consistent_points, dis_flow, warp_by_flow
from cascade.evaluation.metrics import quantize

Frames = NDArray[np.uint8]

RADIUS = 3
"""Neighbors on each side: seven frames in all, fewer at the ends of a video."""
POWER = 11
"""Power of the magnitudes that weighs a coefficient, as published."""
WINDOW = 64
"""Side of the windows that are transformed one by one, in pixels, since blur differs across a frame."""
STEP = WINDOW // 2
SMOOTHING = 2.0
"""Sigma of the Gaussian over the magnitudes: single coefficients say more of noise than of blur."""
FEATHER = 2.0
"""Sigma, in pixels, of the soft passage from aligned pixels to the center's own."""
_FEATHER_MARGIN = 5
"""Side, in pixels, of the square that trusted areas are eroded by before their edges are softened."""


def accumulate(video: Frames, center: int) -> Frames:
    """Sharpens the frame number ``center`` of ``video`` uint8 [N, H, W, 3] RGB by its neighbors: uint8 [H, W, 3]."""
    aligned = aligned_burst(video, center)
    height, width = video.shape[1:3]
    # The frame gets a ring of half a window, so that every pixel lies under overlapping windows.
    rings = [(0, 0), *((STEP, STEP + -side % STEP) for side in (height, width)), (0, 0)]
    padded = np.pad(aligned, rings, mode="symmetric")
    total = np.zeros(padded.shape[1:], np.float32)
    taper = _taper()
    for rows, columns in _windows(*padded.shape[1:3]):
        total[rows, columns] += taper * merge(padded[:, rows, columns])
    return quantize(total[STEP : STEP + height, STEP : STEP + width])


def aligned_burst(video: Frames, center: int) -> NDArray[np.float32]:
    """Aligns the neighbors of frame number ``center`` with it: float32 [n, H, W, 3] in [0, 1], n at most 7.

    Where the flow there and back does not return, and beyond the frame, the center's own pixels stand in.
    """
    reference = video[center].astype(np.float32)
    burst = []
    for index in range(max(center - RADIUS, 0), min(center + RADIUS + 1, len(video))):
        if index == center:
            burst.append(reference)
            continue
        there, back = dis_flow(video[center], video[index]), dis_flow(video[index], video[center])
        trust = _trust(there, back)
        burst.append(trust * warp_by_flow(video[index], there) + (1 - trust) * reference)
    return np.asarray(np.stack(burst) / 255, np.float32)


def merge(burst: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the weighted mean of frames float32 [n, h, w, 3] in Fourier space: float32 [h, w, 3].

    Weights are the magnitudes, averaged over the channels and smoothed, to the power of ``POWER``.
    """
    spectra = np.fft.fft2(burst, axes=(1, 2))
    magnitudes = np.fft.fftshift(np.abs(spectra).mean(axis=3), axes=(1, 2))
    smooth = np.stack([cv2.GaussianBlur(magnitude, (0, 0), SMOOTHING) for magnitude in magnitudes])
    # Relative to the largest, whose power cannot overflow; the tiny term keeps a black window from 0 / 0.
    weights = (smooth / (smooth.max(axis=0) + 1e-12)) ** POWER + 1e-12
    weights = np.fft.ifftshift(weights / weights.sum(axis=0), axes=(1, 2))
    merged = np.fft.ifft2((weights[..., None] * spectra).sum(axis=0), axes=(0, 1))
    return np.asarray(merged.real, np.float32)


def _trust(there: Flow, back: Flow) -> NDArray[np.float32]:
    """Returns how far to trust the flow, [H, W, 1] in [0, 1]: whether going there and back ends at the start."""
    consistent = consistent_points(there, back).astype(np.float32)
    # Eroded first, so that the soft edge begins inside what is consistent.
    eroded = cv2.erode(consistent, np.ones((_FEATHER_MARGIN, _FEATHER_MARGIN), np.uint8))
    return np.asarray(cv2.GaussianBlur(eroded, (0, 0), FEATHER), np.float32)[..., None]


def _windows(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    for top in range(0, height - WINDOW + 1, STEP):
        for left in range(0, width - WINDOW + 1, STEP):
            yield slice(top, top + WINDOW), slice(left, left + WINDOW)


def _taper() -> NDArray[np.float32]:
    """Returns a window [WINDOW, WINDOW, 1] of weights that sum to one where windows overlap by half."""
    side = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    return np.outer(side, side).astype(np.float32)[..., None]
