"""A picture that shows what deblurring did: whole frames side by side, and the same detail enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

ZOOM = 4
GAP = 8
STRIP = 34
"""Height of the labels, in pixels."""
PAPER, INK = (255, 255, 255), (25, 25, 30)
FRAME = (255, 210, 0)


@dataclass(frozen=True)
class Panel:
    """One column: ``image`` uint8 [H, W, 3] RGB, all of one size."""

    label: str
    image: Image


def side_by_side(panels: Sequence[Panel], detail: tuple[int, int]) -> Image:
    """Columns of label, frame with the detail marked, and the detail enlarged. ``detail``: its top, left."""
    columns = [_column(panel, detail) for panel in panels]
    gap = _paper(columns[0].shape[0], GAP)
    row = [part for column in columns for part in (gap, column)]
    return np.concatenate([*row, gap], axis=1)


def most_telling_detail(blurred: Image, truth: Image) -> tuple[int, int]:
    """Top and left of the window, a ``ZOOM``-th of the frame, in which blur changed the picture most."""
    height, width = truth.shape[0] // ZOOM, truth.shape[1] // ZOOM
    change = np.square(blurred.astype(np.float32) - truth).mean(axis=2)
    sums = cv2.integral(change)
    windows = (
        sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    )
    top, left = np.unravel_index(int(np.argmax(windows)), windows.shape)
    return int(top), int(left)


def _column(panel: Panel, detail: tuple[int, int]) -> Image:
    top, left = detail
    height, width = (side // ZOOM for side in panel.image.shape[:2])
    crop = panel.image[top : top + height, left : left + width]
    enlarged = cv2.resize(crop, panel.image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    marked = cv2.rectangle(panel.image.copy(), (left, top), (left + width - 1, top + height - 1), FRAME, 2)
    gap = _paper(GAP, panel.image.shape[1])
    return np.concatenate([_label(panel), marked, gap, enlarged, gap]).astype(np.uint8)


def _label(panel: Panel) -> Image:
    strip = _paper(STRIP, panel.image.shape[1])
    cv2.putText(strip, panel.label, (2, STRIP - 11), cv2.FONT_HERSHEY_SIMPLEX, 0.65, INK, 1, cv2.LINE_AA)
    return strip


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), PAPER, np.uint8)
