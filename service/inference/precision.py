"""Checks at start that an engine computes what the FP32 graph computes, on one reference window.

Half precision, TensorRT, another driver or a damaged graph can make pictures slightly or badly wrong without any error.
The export side stores a window and the FP32 graph's output with the model, so every engine can be compared with it,
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
"""The PSNR that stands for equal pictures, in dB."""


@dataclass(frozen=True)
class Reference:
    """A window, uint8 [5, H, W, 3], and what the FP32 graph makes of it, uint8 [1, H, W, 3]; both RGB."""

    window: Frames
    restored: Frames


def check_precision(engine: DeblurEngine, directory: Path) -> float | None:
    """Restores the reference window of the model in ``directory`` with ``engine``; without one, nothing is checked.

    Returns the PSNR between the output and the FP32 graph's, in dB; None where nothing was checked. Raises
    PrecisionTooLow when the output is further from FP32 than the model's card allows, EngineError for a damaged
    reference or card, and what `DeblurEngine.restore` raises.
    """
    limit = read_card(directory).min_psnr
    if limit is None or not (directory / FILE).is_file():
        log.info("Model %s has no reference window, so its precision is not checked", directory.name)
        return None
    reference = read_reference(directory / FILE)
    measured = psnr(reference.restored, engine.restore(reference.window))
    if measured < limit:
        raise PrecisionTooLow(
            f"The engine's output for the model {directory.name!r} is {measured:.1f} dB from the FP32 graph's; "
            f"at least {limit:g} dB are due. "
            "Serve another precision: CDVD_PRECISION=fp32, or configs/fp32.pbtxt on Triton."
        )
    log.info("Model %s is served at %.1f dB from FP32", directory.name, measured)
    return measured


def read_reference(path: Path) -> Reference:
    """Reads a reference window: one picture, whose parts further and further right are the frames, and the result.

    Raises EngineError when the file is not what the export side writes.
    """
    try:
        with np.load(path) as stored:
            picture, step, restored = stored["picture"], int(stored["step"]), stored["restored"]
    except (OSError, KeyError, ValueError) as error:
        raise EngineError(f"The file {path.parent.name}/{path.name} cannot be read: {error}") from error
    starts = [step * t for t in range(CONTEXT_FRAMES + 1)]
    width = picture.shape[1] - starts[-1]
    return Reference(np.stack([picture[:, start : start + width] for start in starts]), restored)


def psnr(expected: Frames, found: Frames) -> float:
    """Returns the PSNR of two arrays of uint8 of the same shape, in dB."""
    error = float(((expected.astype(np.float64) - found) ** 2).mean())
    return min(_ALIKE_DB, float(10 * np.log10(_PEAK**2 / error))) if error else _ALIKE_DB
