"""A restorer of windows for tests, cheap, and different for every turned window."""

from __future__ import annotations

import numpy as np

from cascade.evaluation.looks import Frames

WINDOW = np.random.default_rng(7).integers(0, 256, (6, 64, 80, 3), dtype=np.uint8)


def mark_places(window: Frames) -> list[Frames]:
    """Adds to each pixel its place in the window that was given; the second stage adds it twice."""
    inner = window[2:-2]
    frames, height, width = inner.shape[:3]
    place = np.arange(frames)[:, None, None] + 2 * np.arange(height)[:, None] + np.arange(width) % 32
    first = (inner // 8 + place[..., None] % 96).astype(np.uint8)
    return [first, (first + place[..., None] % 96).astype(np.uint8)]
