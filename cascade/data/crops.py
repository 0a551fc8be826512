"""Pieces of a photograph at output scale: downscaled at random, never enlarged, preferring detail."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SCALES = (0.25, 0.75)
"""Range of downscaling. At its full size a photograph is rarely sharp to the pixel; larger scales are used
only where the piece would not fit otherwise."""
ATTEMPTS = 6
DETAIL = 9.0
"""Mean absolute difference between levels two output pixels apart that counts as textured: below it lies
clear sky, where blur and sharpness look alike and little can be learned."""


def random_crop(
    photos: Sequence[NDArray[np.uint8]], size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A piece uint8 [h, w, 3] of one of ``photos``, turned and mirrored at random.

    ``size`` (h, w) is met unless the photograph is too small, which then gives all that it has.
    """
    photo = photos[int(rng.integers(len(photos)))]
    turns = int(rng.integers(4))
    if not _fits(photo, size, turns) and _fits(photo, size, turns + 1):
        turns += 1
    height, width = size if turns % 2 == 0 else size[::-1]
    source, factor = _textured_region(photo, (height, width), rng)
    target = min(width, round(source.shape[1] * factor)), min(height, round(source.shape[0] * factor))
    piece = source if factor == 1.0 else cv2.resize(source, target, interpolation=cv2.INTER_AREA)
    turned = np.rot90(piece, turns)
    return np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned, np.uint8)


def _fits(photo: NDArray[np.uint8], size: tuple[int, int], turns: int) -> bool:
    height, width = size if turns % 2 == 0 else size[::-1]
    return bool(height <= photo.shape[0] and width <= photo.shape[1])


def _textured_region(
    photo: NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    """The first of a few random regions that has detail, else the one with most; and its downscaling."""
    candidates = []
    for _ in range(ATTEMPTS):
        region, factor = _random_region(photo, size, rng)
        candidates.append((_detail(region, factor), region, factor))
        if candidates[-1][0] >= DETAIL:
            break
    return max(candidates, key=lambda candidate: candidate[0])[1:]


def _random_region(
    photo: NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], float]:
    fitting = max(size[0] / photo.shape[0], size[1] / photo.shape[1])
    smallest, largest = (min(max(fitting, bound), 1.0) for bound in SCALES)
    factor = float(np.exp(rng.uniform(np.log(smallest), np.log(largest))))
    height = min(round(size[0] / factor), photo.shape[0])
    width = min(round(size[1] / factor), photo.shape[1])
    y = int(rng.integers(photo.shape[0] - height + 1))
    x = int(rng.integers(photo.shape[1] - width + 1))
    return photo[y : y + height, x : x + width], factor


def _detail(region: NDArray[np.uint8], factor: float) -> float:
    step = max(2, round(2 / factor))
    coarse = region[::step, ::step, 1].astype(np.int16)
    return float(np.abs(np.diff(coarse, axis=1)).mean() + np.abs(np.diff(coarse, axis=0)).mean()) / 2
