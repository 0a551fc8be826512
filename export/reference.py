"""Writes the window that an engine proves its precision on before it serves: input and FP32 output."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cascade.evaluation.onnx_session import open_session
from export.frames import clip
from export.onnx import INPUT, OUTPUT

FILE = "reference.npz"
_HEIGHT, _WIDTH = 64, 1024
"""Wide, because half precision shows in the positions of wide frames; low, to be quick and small."""
_STEP = 4
"""Pixels that the picture moves to the left per frame. Storing one picture is a fifth of storing five frames."""


def write_reference(directory: Path, graph: Path, context_frames: int) -> None:
    """Writes ``reference.npz``: ``picture``, ``step`` and ``restored``.

    ``picture``: uint8 [H, W + step * context, 3] RGB; ``restored``: uint8 [1, H, W, 3] RGB; ``step``: pixels.
    Frame t of the window is ``picture[:, t * step : t * step + W]``; ``restored`` is what ``graph`` makes of it.
    """
    sharp = clip()[1][0]
    top = (sharp.shape[0] - _HEIGHT) // 2
    picture = sharp[top : top + _HEIGHT, : _WIDTH + _STEP * context_frames]
    starts = (_STEP * t for t in range(context_frames + 1))
    frames = np.stack([picture[:, start : start + _WIDTH] for start in starts])
    (restored,) = open_session(graph).run([OUTPUT], {INPUT: frames})
    np.savez_compressed(directory / FILE, picture=picture, step=_STEP, restored=restored)
