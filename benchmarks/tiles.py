"""Compares frames restored in tiles with the same frames restored whole: ``python -m benchmarks.tiles``.

It renders a 1920x1080 clip of a hand-held camera, restores one frame whole and by each plan for tiles, and prints the
share of values within two levels of the whole frame, the largest difference, and the CPU time as a multiple of the
whole's.
``--picture`` draws the frame and, times 64, its difference: a seam would be a straight line.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from skimage.data import astronaut, chelsea, coffee, rocket

from cascade.synthesis.demo_clip import render_demo_clip
from service.config import default_models
from service.inference.engine import DeblurEngine, Frames
from service.inference.onnx import OnnxEngine
from service.inference.precision import psnr
from service.inference.tiled.engine import TiledEngine
from service.inference.tiled.onnx_parts import OnnxParts
from service.memory.plan import TILE_SIDES
from service.types import CONTEXT_FRAMES

LEVELS = 2
AMPLIFIED = 64
"""Levels of the difference picture for one level of difference."""
_CELL = (300, 450)
"""Height and width of one photograph in a mosaic of many: at 1080p a single one would be all soft."""


@dataclass(frozen=True)
class Row:
    """One way to restore the frame."""

    manner: str
    within: float
    """Share of values at most `LEVELS` from the whole frame's."""
    largest: int
    psnr: float
    work: float
    """CPU time as a multiple of the whole frame's."""
    difference: Frames
    """uint8 [H, W, 3]."""


def measure(model: Path, window: Frames, threads: int) -> list[Row]:
    """Restores ``window`` uint8 [T + 4, H, W, 3] whole and in tiles."""
    whole = OnnxEngine(model, threads=threads)
    parts = OnnxParts(model, threads=threads)
    expected, seconds = _timed(whole, window)
    rows = []
    for side in TILE_SIDES:
        found, taken = _timed(TiledEngine(parts, side), window)
        rows.append(compare(f"tiles of {side}", expected, found, taken / seconds))
    return rows


def compare(manner: str, expected: Frames, found: Frames, work: float) -> Row:
    """Compares uint8 [T, H, W, 3] with the whole's; the picture is of the first frame."""
    difference = cv2.absdiff(expected, found)
    return Row(
        manner,
        float((difference <= LEVELS).mean()),
        int(difference.max()),
        psnr(expected, found),
        work,
        difference[0],
    )


def table(rows: Sequence[Row]) -> str:
    """Lists the rows under headings."""
    head = f"{'manner':16}{'within 2 levels':>16}{'largest':>9}{'PSNR':>9}{'CPU time':>10}"
    lines = [
        f"{row.manner:16}{row.within:15.4%} {row.largest:9}{row.psnr:6.1f} dB{row.work:9.2f}x" for row in rows
    ]
    return "\n".join([head, *lines])


def picture(frame: Frames, difference: Frames) -> Frames:
    """Returns a frame above its difference, both uint8 [H, W, 3], at half size."""
    bright = np.minimum(difference.astype(np.uint16) * AMPLIFIED, 255).astype(np.uint8)
    half = [
        cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=how)
        for part, how in ((frame, cv2.INTER_AREA), (bright, cv2.INTER_AREA))
    ]
    return np.asarray(np.concatenate(half), np.uint8)


def mosaic(height: int, width: int) -> Frames:
    """Returns photographs side by side, uint8 [height, width, 3] RGB, as sharp as they are."""
    photographs = [one[: _CELL[0], : _CELL[1]] for one in (coffee(), astronaut(), chelsea(), rocket())]
    filled = np.zeros((height, width, 3), np.uint8)
    for row, top in enumerate(range(0, height, _CELL[0])):
        for column, left in enumerate(range(0, width, _CELL[1])):
            cell = filled[top : top + _CELL[0], left : left + _CELL[1]]
            cell[:] = photographs[(row + column) % len(photographs)][: cell.shape[0], : cell.shape[1]]
    return filled


def _timed(engine: DeblurEngine, window: Frames) -> tuple[Frames, float]:
    start = time.process_time()
    return engine.restore(window), time.process_time() - start


def main() -> None:
    chosen = _parser().parse_args()
    size, count = (chosen.height, chosen.width), chosen.frames + CONTEXT_FRAMES
    for name, photo in (
        ("one photograph", coffee()),
        ("many photographs", mosaic(*(2 * side for side in size))),
    ):
        window = np.ascontiguousarray(render_demo_clip(photo, count, *size)[0])
        rows = measure(chosen.model, window, chosen.threads)
        print(f"{name}, {chosen.width} x {chosen.height}, {chosen.model.name}\n{table(rows)}\n")
    if chosen.picture:
        drawn = picture(window[CONTEXT_FRAMES // 2], rows[1].difference)
        cv2.imwrite(str(chosen.picture), cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.tiles",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path, default=default_models() / "cdvd_lite", help="its directory")
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--frames", type=int, default=1, help="output frames of the window")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--picture", type=Path, help="where to draw the difference of the second way to cut")
    return parser


if __name__ == "__main__":
    main()
