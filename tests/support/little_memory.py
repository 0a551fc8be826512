"""Restores frames with the shipped model in a process that the system gives little memory; prints what became of each.

A process of its own, because a limit that a process has given itself stays, and nothing else is to run out beside it.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy as np

from service.config import default_models
from service.errors.engine import OutOfMemory
from service.inference.engine import DeblurEngine
from service.inference.onnx import OnnxEngine
from service.inference.tiled.engine import TiledEngine
from service.inference.tiled.onnx_parts import OnnxParts
from service.types import CONTEXT_FRAMES

MODEL = default_models() / "cdvd_lite"
ROOM = 100 << 20
"""Bytes beside those of the loaded model. A window of 12 frames takes some 210 MB at this size, one of one frame 45."""
HEIGHT, WIDTH = 184, 320


def main() -> None:
    whole, tiled = OnnxEngine(MODEL, threads=1), TiledEngine(OnnxParts(MODEL, threads=1), side=2048)
    for engine in (whole, tiled):
        engine.restore(frames(1)[:, :64, :64])
    _limit(ROOM)
    for engine, count, name in ((whole, 12, "12"), (whole, 1, "1"), (tiled, 1, "tiles")):
        sys.stdout.write(f"{_outcome(engine, count, name)}\n")


def _outcome(engine: DeblurEngine, count: int, name: str) -> str:
    try:
        engine.restore(frames(count))
    except OutOfMemory as error:
        return type(error).__name__
    return name


def frames(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A window of ``count`` output frames."""
    shape = (count + CONTEXT_FRAMES, HEIGHT, WIDTH, 3)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _limit(room: int) -> None:
    status = Path("/proc/self/status").read_text()
    size = (int(status.split("VmData:")[1].split()[0]) << 10) + room
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


if __name__ == "__main__":
    main()
