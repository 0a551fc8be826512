"""Tells which model and which runtime restores faster on this machine: ``python -m benchmarks.engines``.

It runs every model in every runtime on one window in turns, so that whatever else the machine does weighs on all alike,
and prints the median time of each and its speed as a multiple of the first's: the median over the rounds, each of which
compares runs that followed each other. Only that ratio means something on a busy machine. Two graphs side by side:

    python -m benchmarks.engines --models OLD NEW --engines onnxruntime --threads 2

With ``--profile`` it prints what the time goes to instead, by kind of operator.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from skimage.data import coffee

from benchmarks import operators
from cascade.synthesis.demo_clip import render_demo_clip
from service.config import default_models
from service.inference.engine import DeblurEngine, Frames
from service.inference.onnx import OnnxEngine
from service.inference.openvino import OpenVinoEngine
from service.inference.precision import psnr
from service.types import CONTEXT_FRAMES

ENGINES: dict[str, Callable[[Path, int], DeblurEngine]] = {
    "onnxruntime": lambda directory, threads: OnnxEngine(directory, threads=threads),
    "openvino": lambda directory, threads: OpenVinoEngine(directory, threads=threads),
    "bfloat16": lambda directory, threads: OpenVinoEngine(directory, threads=threads, bfloat16=True),
}


@dataclass(frozen=True)
class Row:
    """One model in one runtime."""

    model: str
    engine: str
    first_ms: float
    """Per output frame of the first window of its size, in which kernels are chosen."""
    frame_ms: float
    """Per output frame, the median of the other windows."""
    ratio: float
    """Its speed as a multiple of the first row's."""
    psnr: float
    """Of its output to the first row's, in dB."""


def measure(
    models: Sequence[Path],
    engines: Sequence[str],
    window: Frames,
    threads: int,
    rounds: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[Row]:
    """Times every model (its directory) in every engine on ``window`` uint8 [T + 4, H, W, 3]; they take turns."""
    runs = {(model, name): ENGINES[name](model, threads) for model in models for name in engines}
    seconds: dict[tuple[Path, str], list[float]] = {key: [] for key in runs}
    restored: dict[tuple[Path, str], Frames] = {}
    for _ in range(rounds + 1):
        for key, engine in runs.items():
            start = clock()
            restored[key] = engine.restore(window)
            seconds[key].append(clock() - start)
    first = next(iter(runs))
    per_frame = 1000 / (len(window) - CONTEXT_FRAMES)
    return [
        Row(
            model=key[0].name,
            engine=key[1],
            first_ms=taken[0] * per_frame,
            frame_ms=median(taken[1:]) * per_frame,
            ratio=speed_ratio(seconds[first][1:], taken[1:]),
            psnr=float(psnr(restored[first], restored[key])),
        )
        for key, taken in seconds.items()
    ]


def speed_ratio(reference: Sequence[float], others: Sequence[float]) -> float:
    """Returns how many times as fast as ``reference`` the ``others`` are: the median over the rounds' seconds."""
    return median(a / b for a, b in zip(reference, others, strict=True))


def table(rows: Sequence[Row], threads: int) -> str:
    """Lists the rows under headings, one line for each."""
    width = max(len("model"), *(len(row.model) for row in rows))
    head = f"{'model':{width}}  {'engine':12}{'threads':>8}{'first ms':>10}{'ms/frame':>10}{'ratio':>7}{'PSNR':>9}"
    return "\n".join([head, *(_line(row, width, threads) for row in rows)])


def _line(row: Row, width: int, threads: int) -> str:
    times = f"{row.first_ms:10.0f}{row.frame_ms:10.0f}{row.ratio:7.2f}"
    return f"{row.model:{width}}  {row.engine:12}{threads:8}{times}{row.psnr:6.1f} dB"


def main() -> None:
    chosen = _parser().parse_args()
    count = chosen.frames + CONTEXT_FRAMES
    photo: Frames = coffee()
    blurred, _ = render_demo_clip(photo, frames=count, height=chosen.height, width=chosen.width)
    window = np.ascontiguousarray(blurred)
    if chosen.profile:
        for model in chosen.models:
            for engine in chosen.engines:
                graph = model / "1" / "model.onnx"
                print(f"{model.name} in {engine}:")
                print(
                    operators.table(operators.PROFILERS[engine](graph, window, chosen.threads, chosen.rounds))
                )
        return
    clock = time.process_time if chosen.processor else time.perf_counter
    rows = measure(chosen.models, chosen.engines, window, chosen.threads, chosen.rounds, clock)
    print(table(rows, chosen.threads))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.engines",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--models",
        type=Path,
        nargs="+",
        default=[default_models() / "cdvd_lite"],
        help="their directories; the first is the one that the others are compared with",
    )
    parser.add_argument(
        "--engines",
        nargs="+",
        choices=list(ENGINES),
        default=list(ENGINES),
        help="bfloat16 is OpenVINO's, for the convolutions",
    )
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--frames", type=int, default=4, help="output frames of the window")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--processor", action="store_true", help="count processor time: with one thread, on a busy machine"
    )
    parser.add_argument("--profile", action="store_true", help="print shares of the time by operator")
    parser.add_argument("--rounds", type=int, default=5)
    return parser


if __name__ == "__main__":
    main()
