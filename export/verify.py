"""Proof that what was written is what was trained: ONNX Runtime against PyTorch, graph against configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.cascade import Cascade
from cascade.runtime import open_session
from export.graph import WindowGraph
from export.triton import configured_tensors

SIZES = ((7, 96, 128, 3), (6, 101, 135, 3))
"""Two windows to compare on: one that needs no padding, and an odd one."""
MAX_LEVELS = 1
MAX_SHARE = 1e-3
"""At most this share of values may differ, by at most that many of 255 levels: rounding at the edge of a level."""

_TRITON_TYPES = {"tensor(uint8)": "TYPE_UINT8"}


class VerificationError(RuntimeError):
    """The exported files do not do what the checkpoint does; the message has the figures."""


@dataclass(frozen=True)
class Comparison:
    """How one window's outputs differ."""

    shape: tuple[int, ...]
    largest: int
    """Of 255 levels."""
    share: float
    """Of all values."""


def compare(cascade: Cascade, path: Path) -> list[Comparison]:
    """ONNX Runtime (CPU) against PyTorch on random frames of two sizes. Raises VerificationError."""
    session = open_session(path)
    graph = WindowGraph(cascade).eval()
    results = []
    for shape in SIZES:
        frames = _frames(shape)
        with torch.no_grad():
            expected = graph(torch.from_numpy(frames)).numpy().astype(int)
        (restored,) = session.run(None, {"frames": frames})
        difference = np.abs(restored.astype(int) - expected)
        results.append(Comparison(shape, int(difference.max()), float((difference > 0).mean())))
    bad = [result for result in results if result.largest > MAX_LEVELS or result.share > MAX_SHARE]
    if bad:
        raise VerificationError(f"ONNX Runtime and PyTorch differ: {bad}")
    return results


def check_signature(directory: Path) -> None:
    """Graph inputs and outputs against ``config.pbtxt``. Raises VerificationError."""
    session = open_session(directory / "1" / "model.onnx")
    nodes = [*session.get_inputs(), *session.get_outputs()]
    graph = {node.name: (_TRITON_TYPES.get(node.type), _dims(node.shape)) for node in nodes}
    configured = configured_tensors(directory)
    if graph != configured:
        raise VerificationError(f"the graph has {graph}, config.pbtxt states {configured}")


def _frames(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Smooth pictures that drift: noise alone would leave flow and prior nothing to agree on."""
    count, height, width, _ = shape
    t, y, x = np.mgrid[:count, :height, :width].astype(np.float32)
    waves = [np.sin((x + 2 * t) / 5 + phase) * np.cos((y - t) / 7 + phase) for phase in (0.0, 1.0, 2.0)]
    noise = np.random.default_rng(0).normal(0, 4, shape)
    return np.clip(np.stack(waves, axis=-1) * 100 + 128 + noise, 0, 255).astype(np.uint8)


def _dims(shape: list[int | str | None]) -> tuple[int, ...]:
    return tuple(size if isinstance(size, int) else -1 for size in shape)
