"""What phones and cameras do to a picture before they compress it: remove noise, with fine texture, and sharpen."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]

NOISE_LEVELS = (1.0, 6.0)
"""Range of the contrast, in levels of luma, below which detail is taken for noise."""
NOISE_RADIUS = (0.7, 1.8)
"""Range of the standard deviation, in pixels, of the blur that separates detail from what is kept in any case."""
CHROMA_RADIUS = (0.5, 2.5)
"""Range of the blur of color, in pixels: cameras remove colored noise more strongly, since the eye misses little."""
SHARPENING = (0.2, 1.4)
"""Range of the unsharp mask's amount."""
SHARPENING_RADIUS = (0.6, 1.6)
"""Range of the unsharp mask's standard deviation, in pixels."""
OVERSHOOT = (6.0, 40.0)
"""Range of the largest change by sharpening, in levels: cameras limit the halos along edges."""


@dataclass(frozen=True)
class CameraProcessing:
    """The settings of one camera."""

    noise_levels: float
    noise_radius: float
    chroma_radius: float
    sharpening: float
    sharpening_radius: float
    overshoot: float

    def __call__(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Processes one picture uint8 [H, W, 3] RGB."""
        luma, *chroma = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb))
        clean = self._without_noise(np.asarray(luma, np.float32))
        sharp = np.clip(self._sharpened(clean) + 0.5, 0, 255).astype(np.uint8)
        smooth = [cv2.GaussianBlur(each, (0, 0), self.chroma_radius) for each in chroma]
        return np.asarray(cv2.cvtColor(cv2.merge([sharp, *smooth]), cv2.COLOR_YCrCb2RGB), np.uint8)

    def _without_noise(self, luma: Levels) -> Levels:
        """Removes weak detail and keeps strong detail, with a smooth change in between."""
        coarse = _blur(luma, self.noise_radius)
        detail = luma - coarse
        energy = detail * detail
        return np.asarray(coarse + detail * energy / (energy + np.float32(self.noise_levels**2)), np.float32)

    def _sharpened(self, luma: Levels) -> Levels:
        halo = np.float32(self.sharpening) * (luma - _blur(luma, self.sharpening_radius))
        return np.asarray(luma + np.clip(halo, -self.overshoot, self.overshoot), np.float32)


def random_processing(rng: np.random.Generator) -> CameraProcessing:
    """Draws a camera's settings; one sample has one camera."""
    ranges = (NOISE_LEVELS, NOISE_RADIUS, CHROMA_RADIUS, SHARPENING, SHARPENING_RADIUS, OVERSHOOT)
    return CameraProcessing(*(float(rng.uniform(*each)) for each in ranges))


def _blur(luma: Levels, radius: float) -> Levels:
    return np.asarray(cv2.GaussianBlur(luma, (0, 0), radius), np.float32)
