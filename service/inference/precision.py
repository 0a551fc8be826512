"""The guard at start: an engine shows on one window that it computes what the FP32 graph computes.

Half precision, TensorRT, another driver or a damaged graph can make pictures slightly or badly wrong without any error.
The export side stores a window and the FP32 graph's output with the model; the comparison holds for every engine,
wherever it runs.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from service.errors.engine import EngineError, PrecisionTooLow
from service.inference.card import read_card
from service.inference.engine import DeblurEngine, Frames
from service.types import CONTEXT_FRAMES

log = logging.getLogger(__name__)

FILE = "reference.npz"
_PEAK = 255.0
_ALIKE_DB = 99.0
"""What is given as the PSNR of equal pictures."""


@dataclass(frozen=True)
class Reference:
    """``window`` uint8 [5, H, W, 3] and ``restored`` uint8 [1, H, W, 3], what the FP32 graph makes of it."""

    window: Frames
    restored: Frames


def check_precision(engine: DeblurEngine, directory: Path) -> None:
    """Restore the reference window of the model in ``directory`` by ``engine``; without one nothing is checked.

    Raises PrecisionTooLow when the output is further from FP32 than the model's card allows, EngineError for a damaged
    reference or card, and what `DeblurEngine.restore` raises.
    """
    limit = read_card(directory).min_psnr
    if limit is None or not (directory / FILE).is_file():
        log.info("%s has no reference window; its precision is not checked", directory.name)
        return
    reference = read_reference(directory / FILE)
    found = psnr(reference.restored, engine.restore(reference.window))
    if found < limit:
        raise PrecisionTooLow(
            f"The engine's output for the model {directory.name!r} is {found:.1f} dB from the FP32 graph's; at least "
            f"{limit:g} dB are due. Serve another precision: configs/fp32.pbtxt on Triton."
        )
    log.info("%s is served at %.1f dB from FP32", directory.name, found)


def read_reference(path: Path) -> Reference:
    """Raises EngineError when the file is not what the export side writes.

    It holds one picture, along which the window's frames step to the right, and the restored middle frame.
    """
    try:
        with np.load(path) as stored:
            picture, step, restored = stored["picture"], int(stored["step"]), stored["restored"]
    except (OSError, KeyError, ValueError) as error:
        raise EngineError(f"{path.parent.name}/{path.name} cannot be read: {error}") from error
    starts = [step * t for t in range(CONTEXT_FRAMES + 1)]
    width = picture.shape[1] - starts[-1]
    return Reference(np.stack([picture[:, start : start + width] for start in starts]), restored)


def psnr(expected: Frames, found: Frames) -> float:
    """In dB, of two arrays of uint8 of the same shape."""
    error = float(((expected.astype(np.float64) - found) ** 2).mean())
    return min(_ALIKE_DB, float(10 * np.log10(_PEAK**2 / error))) if error else _ALIKE_DB
