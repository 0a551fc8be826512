"""Restores a segment as a worker does, with an engine that returns its input."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from skimage.data import coffee

from benchmarks.clip import write_clip
from cascade.synthesis.demo_clip import render_demo_clip
from service.inference.engine import Frames, Stopped, never
from service.pipeline.segment import SegmentRequest, restore_segment
from service.types import CONTEXT_FRAMES, EncodeOptions, Segment

_SIDE = CONTEXT_FRAMES // 2
_PICTURES = 8
"""Rendered; a clip shows them to and fro, which is quicker to make and no easier to code."""


class InstantEngine:
    """Returns the inner frames of a window. Implements ``DeblurEngine``."""

    def restore(self, window: Frames, _stopped: Stopped = never, /) -> Frames:
        return window[_SIDE:-_SIDE]

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Measured:
    """One segment."""

    frames: int
    wall_s: float
    processor_s: float
    """Of all threads of this process, those of the decoder and the encoder included."""

    @property
    def per_second(self) -> float:
        """Frames a second."""
        return self.frames / self.wall_s

    @property
    def per_processor_second(self) -> float:
        """Frames a second of one processor."""
        return self.frames / self.processor_s


def measure(clip: Path, frames: int, window: int) -> Measured:
    """Restores the first ``frames`` of ``clip`` in windows of so many output frames."""
    with tempfile.TemporaryDirectory() as folder:
        request = SegmentRequest(
            clip, Path(folder) / "piece.mp4", Segment(0, 0, frames), EncodeOptions(), window
        )
        wall, processor = time.perf_counter(), time.process_time()
        restore_segment(request, InstantEngine(), lambda *_: None, lambda: False)
        return Measured(frames, time.perf_counter() - wall, time.process_time() - processor)


def write_source(path: Path, frames: int, height: int, width: int) -> None:
    """Writes a clip of H.264 as cameras do, at about 0.1 bits per pixel, with sound."""
    blurred, _ = render_demo_clip(coffee(), frames=_PICTURES, height=height, width=width)  # type: ignore[no-untyped-call]
    order = [*range(_PICTURES), *range(_PICTURES - 2, 0, -1)]
    pictures = blurred[[order[number % len(order)] for number in range(frames)]]
    write_clip(path, pictures, rate=30, crf=23)
