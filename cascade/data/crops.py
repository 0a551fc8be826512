"""Pieces of a photograph at output scale: reduced at random, never enlarged, preferring detail."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SCALES = (0.2, 0.7)
"""Range of downscaling. At its full size a photograph is rarely sharp to the pixel, and real frames hold twice the
detail that its pieces have at half of it (docs/training-log.md)."""
MIRRORED = 0.5
"""A reduced photograph that is smaller than the piece is continued by its mirror image, but fills at least this share
of each side unless it is too small at its full size."""
ATTEMPTS = 6
DETAIL = 14.0
"""Mean absolute difference between levels two output pixels apart that counts as textured: below it lies
clear sky, where blur and sharpness look alike and little can be learned."""
SHARPENED_SHARE = 0.6
SHARPENING = (0.2, 1.2)
"""Amount of an unsharp mask: cameras sharpen what they deliver, and data sets of blur average what they delivered."""
SHARPENING_RADIUS = (0.5, 1.0)


def random_crop(
    photos: Sequence[NDArray[np.uint8]], size: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A piece uint8 [h, w, 3] of ``size`` (h, w) of one of ``photos``, turned and mirrored at random."""
    photo = photos[int(rng.integers(len(photos)))]
    turns = int(rng.integers(4))
    if not _fits(photo, size, turns) and _fits(photo, size, turns + 1):
        turns += 1
    height, width = size if turns % 2 == 0 else size[::-1]
    source, factor = _textured_region(photo, (height, width), rng)
    target = min(width, round(source.shape[1] * factor)), min(height, round(source.shape[0] * factor))
    piece = np.asarray(cv2.resize(source, target, interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < SHARPENED_SHARE:
        piece = _sharpen(piece, rng.uniform(*SHARPENING), rng.uniform(*SHARPENING_RADIUS))
    turned = np.rot90(_mirror(piece, (height, width), rng), turns)
    return np.ascontiguousarray(turned[:, ::-1] if rng.random() < 0.5 else turned, np.uint8)


def _sharpen(piece: NDArray[np.uint8], amount: float, radius: float) -> NDArray[np.uint8]:
    smooth = cv2.GaussianBlur(piece, (0, 0), radius)
    return np.asarray(cv2.addWeighted(piece, 1 + amount, smooth, -amount, 0), np.uint8)


def _mirror(piece: NDArray[np.uint8], size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The piece somewhere in a picture of ``size`` that its mirror images fill up."""
    down, right = size[0] - piece.shape[0], size[1] - piece.shape[1]
    top, left = int(rng.integers(down + 1)), int(rng.integers(right + 1))
    filled = cv2.copyMakeBorder(piece, top, down - top, left, right - left, cv2.BORDER_REFLECT)
    return np.asarray(filled, np.uint8)


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
    smallest, largest = (min(max(MIRRORED * fitting, bound), 1.0) for bound in SCALES)
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
