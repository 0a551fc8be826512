"""The pictures that scenes are made of: photographs, mixed with generated pictures, of which there is no end."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.synthesis.dead_leaves import dead_leaves
from cascade.synthesis.man_made import man_made_picture

Picture = NDArray[np.uint8]

SIDE = 720
"""Side of the generated pictures, in pixels: a crop for 256-pixel frames fits with its motion."""
MAN_MADE_SHARE = 0.4
"""Share of the generated pictures with text and straight edges; the others are dead leaves."""


def generated_picture(rng: np.random.Generator, side: int = SIDE) -> Picture:
    """Draws a square picture uint8 [side, side, 3] RGB."""
    make = man_made_picture if rng.random() < MAN_MADE_SHARE else dead_leaves
    return make((side, side), rng)


def mix_pictures(photos: Sequence[Picture], share: float, rng: np.random.Generator) -> list[Picture]:
    """Returns ``photos`` and as many generated pictures as make up ``share`` of the whole (0 <= share < 1).

    Scenes draw evenly from the mixture, so ``share`` is also how often they get a generated picture. A new state of
    the generator gives new pictures. Raises ValueError for a share out of range.
    """
    return [*photos, *(generated_picture(rng) for _ in range(_count(share, photos)))]


def mix_pictures_by_processes(
    photos: Sequence[Picture], share: float, seed: int, workers: int
) -> list[Picture]:
    """Does what `mix_pictures` does in ``workers`` processes, since a generated picture takes a third of a second.

    Each is decided by the seed and its number, whichever process makes it. Raises ValueError for a share out of range.
    """
    seeds = [(seed, number) for number in range(_count(share, photos))]
    if workers < 1 or not seeds:
        return [*photos, *map(_numbered_picture, seeds)]
    with get_context("fork").Pool(workers, initializer=cv2.setNumThreads, initargs=(0,)) as pool:
        return [*photos, *pool.map(_numbered_picture, seeds, chunksize=1)]


def _count(share: float, photos: Sequence[Picture]) -> int:
    if not 0 <= share < 1:
        raise ValueError(f"The share of generated pictures must be in [0, 1), not {share}.")
    return round(share / (1 - share) * len(photos))


def _numbered_picture(seed: tuple[int, int]) -> Picture:
    return generated_picture(np.random.default_rng(seed))
