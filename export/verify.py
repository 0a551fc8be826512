"""Proves that what was written is what was trained: ONNX Runtime against PyTorch, FP16 against FP32."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cascade.evaluation.metrics import psnr
from cascade.evaluation.onnx_session import open_session
from cascade.network.cascade import Cascade
from export.frames import Frames, window
from export.graph import WindowGraph
from export.onnx import INPUT, OUTPUT
from export.triton import DIMS

WINDOWS = ((2, 64, 96), (1, 75, 101))
"""Output frames, height and width of the windows to compare on: one that needs no padding, and an odd one."""
WIDE = (1, 64, 1280)
"""For half precision as well: what it would lose are positions, and they are the coarser the wider a frame is."""
MAX_LEVELS = 1
MAX_SHARE = 1e-3
"""ONNX Runtime and PyTorch: at most this share of values may differ, by at most that many of 255 levels."""
MIN_PSNR = 50.0
"""In dB: how close another precision has to be to FP32. That is less than one level of 255 on average."""
FULL, HALF = "FP32 against PyTorch", "FP16 against FP32"
_ALIKE = 99.0
"""Stands for the PSNR of equal pictures, which is infinite."""


class VerificationError(RuntimeError):
    """The exported files do not do what the checkpoint does; the message has the figures."""


@dataclass(frozen=True)
class Comparison:
    """How one window's outputs differ."""

    what: str
    """`FULL` or `HALF`."""
    shape: tuple[int, ...]
    """Of the window: [T + 2 * stages, H, W, 3]."""
    psnr: float
    """In dB, at most 99."""
    largest: int
    """Of 255 levels."""
    share: float
    """Of all values."""

    @classmethod
    def of(cls, what: str, frames: Frames, expected: Frames, found: Frames) -> Comparison:
        """Compares ``expected`` and ``found``, uint8 [T, H, W, 3], both of the window ``frames``."""
        difference = np.abs(found.astype(int) - expected)
        return cls(
            what=what,
            shape=frames.shape,
            psnr=min(_ALIKE, psnr(found, expected)),
            largest=int(difference.max()),
            share=float((difference > 0).mean()),
        )


def compare(cascade: Cascade, path: Path) -> list[Comparison]:
    """Compares ONNX Runtime (CPU) on the FP32 graph at ``path`` with PyTorch. Raises VerificationError."""
    session = open_session(path)
    graph = WindowGraph(cascade).eval()
    results = []
    for frames in _windows(cascade, WINDOWS):
        with torch.no_grad():
            expected = graph(torch.from_numpy(frames)).numpy()
        (restored,) = session.run([OUTPUT], {INPUT: frames})
        results.append(Comparison.of(FULL, frames, expected, restored))
    bad = [result for result in results if result.largest > MAX_LEVELS or result.share > MAX_SHARE]
    if bad:
        raise VerificationError(f"ONNX Runtime and PyTorch differ: {bad}.")
    return results


def compare_precision(cascade: Cascade, fp32: Path, fp16: Path) -> list[Comparison]:
    """Compares the FP16 graph with the FP32 one, both in ONNX Runtime on the CPU. Raises VerificationError.

    The CPU rounds weights and activations to FP16 where the graph does, and adds up in FP32, as GPUs do.
    """
    exact, rounded = open_session(fp32), open_session(fp16)
    results = []
    for frames in _windows(cascade, (*WINDOWS, WIDE)):
        (expected,), (restored,) = (session.run([OUTPUT], {INPUT: frames}) for session in (exact, rounded))
        results.append(Comparison.of(HALF, frames, expected, restored))
    worst = min(result.psnr for result in results)
    if worst < MIN_PSNR:
        raise VerificationError(
            f"FP16 is {worst:.1f} dB from FP32, {MIN_PSNR:g} dB are due; export with --precision fp32."
        )
    return results


def check_signature(path: Path) -> None:
    """Checks that the graph's tensors are those that every configuration states. Raises VerificationError."""
    session = open_session(path)
    found = [
        [(tensor.name, tensor.type, _dims(tensor.shape)) for tensor in tensors]
        for tensors in (session.get_inputs(), session.get_outputs())
    ]
    stated = [[(name, "tensor(uint8)", DIMS)] for name in (INPUT, OUTPUT)]
    if found != stated:
        raise VerificationError(f"{path.name} has {found}, and the configurations state {stated}.")


def table(comparisons: list[Comparison]) -> str:
    """Lists the comparisons, one line for each window."""
    lines = [f"{'':24}{'window':>20}  {'PSNR':>7}  {'largest':>7}  {'share':>8}"]
    for result in comparisons:
        shape = "x".join(map(str, result.shape))
        psnr = f"{result.psnr:.1f} dB"
        lines.append(f"{result.what:24}{shape:>20}  {psnr:>7}  {result.largest:7}  {result.share:8.1e}")
    return "\n".join(lines)


def _windows(cascade: Cascade, sizes: Sequence[tuple[int, int, int]]) -> list[Frames]:
    """Returns a window for each of ``sizes``: output frames, height, width."""
    context = 2 * cascade.config.stages
    return [window(count + context, height, width) for count, height, width in sizes]


def _dims(shape: list[int | str | None]) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else -1 for size in shape)
