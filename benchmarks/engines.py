"""Tells which runtime in the worker's process restores faster on this machine: ``python -m benchmarks.engines``.

It runs ONNX Runtime and OpenVINO on one window in turns, so that whatever else the machine does weighs on both alike,
and prints the median of each. Only the ratio means something on a machine that is busy.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from skimage.data import coffee

from cascade.synthesis.demo_clip import render_demo_clip
from service.config import default_models
from service.inference.engine import DeblurEngine, Frames
from service.inference.onnx import OnnxEngine
from service.inference.openvino import OpenVinoEngine
from service.inference.precision import psnr
from service.types import CONTEXT_FRAMES

ENGINES: dict[str, Callable[[Path, int], DeblurEngine]] = {
    "ONNX Runtime": lambda directory, threads: OnnxEngine(directory, threads=threads),
    "OpenVINO": lambda directory, threads: OpenVinoEngine(directory, threads=threads),
}


@dataclass(frozen=True)
class Row:
    """What one engine took, in milliseconds per output frame."""

    engine: str
    first_ms: float
    """In the first window of its size, in which kernels are chosen."""
    frame_ms: float
    """In the median of the later windows."""
    psnr: float
    """Of its output against ONNX Runtime's, in dB."""


def measure(directory: Path, window: Frames, threads: int, rounds: int) -> list[Row]:
    """Measures every engine on a window uint8 [N, H, W, 3] RGB, in turns, ``rounds`` times after the first."""
    engines = {name: open_engine(directory, threads) for name, open_engine in ENGINES.items()}
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    restored: dict[str, Frames] = {}
    for _ in range(rounds + 1):
        for name, engine in engines.items():
            start = time.perf_counter()
            restored[name] = engine.restore(window)
            seconds[name].append(time.perf_counter() - start)
    per_frame = 1000 / (len(window) - CONTEXT_FRAMES)
    expected = restored["ONNX Runtime"]
    return [
        Row(name, first * per_frame, median(others) * per_frame, float(psnr(expected, restored[name])))
        for name, (first, *others) in seconds.items()
    ]


def table(rows: list[Row], threads: int) -> str:
    """Formats one line for each engine; the ratio is the first engine's time by this one's."""
    lines = [f"{'engine':14}{'threads':>8}{'first ms':>10}{'ms/frame':>10}{'ratio':>7}{'PSNR':>9}"]
    for row in rows:
        ratio = rows[0].frame_ms / row.frame_ms
        lines.append(
            f"{row.engine:14}{threads:8}{row.first_ms:10.0f}{row.frame_ms:10.0f}{ratio:7.2f}{row.psnr:6.1f} dB"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=default_models() / "cdvd_lite", help="directory of the model"
    )
    parser.add_argument("--width", type=int, default=640, help="of the window, in pixels")
    parser.add_argument("--height", type=int, default=360, help="of the window, in pixels")
    parser.add_argument("--frames", type=int, default=4, help="output frames of the window")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of each runtime")
    parser.add_argument("--rounds", type=int, default=5, help="windows that the median is of")
    chosen = parser.parse_args()
    count = chosen.frames + CONTEXT_FRAMES
    photo: Frames = coffee()
    blurred, _ = render_demo_clip(photo, frames=count, height=chosen.height, width=chosen.width)
    rows = measure(chosen.model, np.ascontiguousarray(blurred), chosen.threads, chosen.rounds)
    print(table(rows, chosen.threads))


if __name__ == "__main__":
    main()
