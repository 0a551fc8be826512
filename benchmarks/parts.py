"""Compares the memory that ``model.json`` says of the parts that tiles are restored with, with what they take.

``python -m benchmarks.parts``: each part runs once in a process of its own, on random frames; its peak beside what it
had before is divided by the pixels. Linux only.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from service.config import default_models
from service.inference.card import read_card
from service.inference.tiled.onnx_parts import OnnxParts
from service.inference.tiled.parts import UNITS

FRAMES, TILES = ((1920, 1088), (3840, 2176)), ((768, 768), (1280, 1280))
"""Widths and heights, multiples of 64."""
_SMALL = (128, 128)
"""Run first, so that what a session sets up once is not counted."""

Part = Callable[[OnnxParts, int, int], Callable[[], object]]
"""Makes the inputs of one run, which plans count apart, and returns what runs it."""


def flow(parts: OnnxParts, width: int, height: int) -> Callable[[], object]:
    """Estimates the flow between two frames of this size."""
    small = np.random.default_rng(0).random(
        (3, height // parts.downscale, width // parts.downscale), np.float32
    )
    return lambda: parts.flow(small, small)


def tile(parts: OnnxParts, width: int, height: int) -> Callable[[], object]:
    """Restores a tile of this size."""
    picture = np.random.default_rng(0).integers(0, 255 * UNITS, (3, height, width), np.int16)
    place = np.array([(0, 0), (height, width), (0, 0), (0, 0)], np.float32)
    still = np.zeros((2, 2, height, width), np.float32)
    return lambda: parts.restored(picture, picture, picture, still, place, keep=False)


def bytes_per_pixel(model: Path, part: Part, size: tuple[int, int]) -> float:
    """Returns what one run takes at its peak, in a process that has run nothing else."""
    parts = OnnxParts(model, threads=2)
    part(parts, *_SMALL)()
    run = part(parts, *size)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _status("VmRSS")
    run()
    return (_status("VmHWM") - before) / (size[0] * size[1])


def _status(name: str) -> int:
    match = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    if match is None:
        raise LookupError("This system does not tell the largest size of a process.")
    return int(match[1]) << 10


def rows(model: Path) -> list[str]:
    """Measures both parts of a model; returns rows of Markdown."""
    said = read_card(model).tiles
    if said is None:
        raise LookupError(f"{model.name} has no parts for tiles.")
    found = []
    for part, planned, sizes in ((flow, said.flow, FRAMES), (tile, said.tile, TILES)):
        for size in sizes:
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                taken = alone.submit(bytes_per_pixel, model, part, size).result()
            found.append(
                f"| `{model.name}` | {part.__name__} | {size[0]}x{size[1]} | {planned} | {taken:.0f} |"
            )
    return found


def main() -> None:
    models = _parser().parse_args().models
    lines = ["| model | part | pixels | planned | measured |", "| --- | --- | --- | --- | --- |"]
    print("\n".join([*lines, *(row for model in models for row in rows(model))]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.parts", description=__doc__)
    usual = [default_models() / name for name in ("cdvd_lite", "cdvd_base")]
    parser.add_argument("--models", type=Path, nargs="+", default=usual, help="their directories")
    return parser


if __name__ == "__main__":
    main()
