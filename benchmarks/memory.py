"""Compares the memory that is planned for a job with the peak of a real worker: ``python -m benchmarks.memory``.

For every size and limit it starts the whole service with ``CDVD_MEMORY_LIMIT``, restores a short clip and reads the
largest resident size of the worker's process, with decoder, encoder and everything else in it. Linux only.

    python -m benchmarks.memory --size 4096x2304 --limit 4 --model cdvd_lite
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
from skimage.data import coffee

from benchmarks.clip import write_clip
from cascade.synthesis.demo_clip import render_demo_clip
from service.client import Client
from service.client.errors import ClientError
from service.embedded import EmbeddedOptions, EmbeddedStack

GIB = 1 << 30
RATE = 25
_RENDERED = (360, 640)
"""Height and width at which a clip is rendered, to be repeated: memory does not depend on what is seen."""
START_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Asked:
    """How clips are to be restored, whatever their size."""

    model: str
    looks: int
    engine: str
    frames: int


@dataclass(frozen=True)
class Row:
    """One job."""

    size: tuple[int, int]
    """Width and height."""
    asked: Asked
    limit: int
    outcome: str
    """How it was restored, or why it was refused."""
    predicted: int | None
    peak: int | None
    """Bytes."""


def measure(size: tuple[int, int], asked: Asked, limit: int) -> Row:
    """Restores a clip in a service whose worker may take ``limit`` bytes."""
    with tempfile.TemporaryDirectory() as directory:
        clip = _clip(Path(directory) / "clip.mp4", size, asked.frames)
        settings = {
            "CDVD_MEMORY_LIMIT": str(limit),
            "CDVD_MAX_FRAME_PIXELS": str(size[0] * size[1]),
            "CDVD_ENGINE": asked.engine,
        }
        options = EmbeddedOptions(data=Path(directory) / "data", start_timeout_s=START_TIMEOUT_S)
        with patch.dict(os.environ, settings), EmbeddedStack(options) as stack, Client(stack.url) as client:
            try:
                job = client.submit(clip, options={"model": asked.model, "looks": str(asked.looks)})
            except ClientError as error:
                return Row(size, asked, limit, str(error), None, None)
            client.wait(job.id)
            plan = client.report(job.id)["memory_plans"][-1]
            return Row(size, asked, limit, _manner(plan), plan["bytes"], _peak(_worker()))


def _manner(plan: dict[str, object]) -> str:
    return f"{plan['manner']}, T={plan['window']}, {plan['in_flight']} in flight"


def _clip(path: Path, size: tuple[int, int], frames: int) -> Path:
    width, height = size
    small, _ = render_demo_clip(coffee(), frames, *_RENDERED)
    rows, columns = -(-height // _RENDERED[0]), -(-width // _RENDERED[1])
    write_clip(path, np.tile(small, (1, rows, columns, 1))[:, :height, :width], RATE, crf=30)
    return path


def _worker() -> Path:
    """Returns the directory in ``/proc`` of the worker that this process started."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command, status = (entry / "cmdline").read_bytes(), (entry / "status").read_text()
        except OSError:
            continue
        if b"service.worker" in command and f"PPid:\t{os.getpid()}\n" in status:
            return entry
    raise LookupError("The worker is not among the processes that this one started.")


def _peak(process: Path) -> int:
    match = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
    if match is None:
        raise LookupError("This system does not tell the largest size of a process.")
    return int(match[1]) << 10


def table(rows: Sequence[Row]) -> str:
    """Lists the rows as Markdown."""
    lines = [
        "| size | frames | model | looks | engine | limit | plan | predicted | peak |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        (width, height), asked = row.size, row.asked
        sizes = " | ".join(_gib(value) for value in (row.predicted, row.peak))
        lines.append(
            f"| {width}x{height} | {asked.frames} | `{asked.model}` | {asked.looks} | {asked.engine} "
            f"| {row.limit / GIB:g} GiB | {row.outcome} | {sizes} |"
        )
    return "\n".join(lines)


def _gib(value: int | None) -> str:
    return "" if value is None else f"{value / GIB:.2f} GiB"


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


def main() -> None:
    chosen = _parser().parse_args()
    asked = Asked(chosen.model, chosen.looks, chosen.engine, chosen.frames)
    rows = [measure(size, asked, int(limit * GIB)) for size in chosen.size for limit in chosen.limit]
    print(table(rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.memory",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--size", type=_size, nargs="+", default=[(1280, 720)], help="such as 1920x1080")
    parser.add_argument("--limit", type=float, nargs="+", default=[4.0], help="GiB that the worker may take")
    parser.add_argument("--model", default="cdvd_lite")
    parser.add_argument("--looks", type=int, default=1)
    parser.add_argument("--engine", choices=("onnx", "openvino"), default="onnx")
    parser.add_argument("--frames", type=int, default=6)
    return parser


if __name__ == "__main__":
    main()
