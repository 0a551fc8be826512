"""Splits the processor time of the work around the network by stage, for ``python -m benchmarks.pipeline``.

The stages of a segment run beside each other, and the codecs have threads of their own. Here one stage runs at a time,
so that what the whole process takes meanwhile is its own.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from av.video.reformatter import VideoReformatter

from service.pipeline.prior import heat_map, prior_maps
from service.pipeline.sharpness import sharpness
from service.pipeline.windows import Window, form_windows
from service.types import EncodeOptions, Segment
from service.video.color import conversion
from service.video.conversion.rgb import to_rgb
from service.video.decode import DecodedFrame
from service.video.encoding.pictures import PictureMaker
from service.video.encoding.piece import PieceEncoder
from service.video.frames import numbered_frames
from service.video.packets.gaps import NumberedFrame
from service.video.source import Source, load_source

STAGES = ("decoding", "conversion", "windows", "measuring", "conversion back", "encoding")


class StageClock:
    """Adds up the processor time of each stage. A stage that begins within another one interrupts it."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)
        self._now: str | None = None
        self._since = 0.0

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Counts what the block takes for the stage ``name``."""
        before = self._now
        self._switch(name)
        yield
        self._switch(before)

    def _switch(self, name: str | None) -> None:
        now = time.process_time()
        if self._now:
            self.seconds[self._now] += now - self._since
        self._now, self._since = name, now


def measure_stages(clip: Path, frames: int, window: int, folder: Path) -> dict[str, float]:
    """Returns the seconds of a processor that each stage takes for one frame, of the first ``frames`` of ``clip``."""
    source, clock = load_source(clip), StageClock()
    with clock.stage("decoding"):
        decoded = list(numbered_frames(source, 0, frames))
    maker = PictureMaker(source.picture, EncodeOptions())
    with clock.stage("windows"):
        images = _converted(source, decoded, clock)
        for each in form_windows(images, Segment(0, 0, frames), window, lambda _: None):
            with clock.stage("measuring"):
                _measure(each)
            with clock.stage("conversion back"):
                for image in each.outputs:
                    maker.picture(image, None)
    _encode(source, decoded, folder / "stages.mp4", clock)
    return {name: seconds / frames for name, seconds in clock.seconds.items()}


def _converted(
    source: Source, decoded: Sequence[NumberedFrame], clock: StageClock
) -> Generator[DecodedFrame]:
    how, scaler = conversion(source.picture.color, source.picture.height), VideoReformatter()
    index = source.index
    for frame in decoded:
        with clock.stage("conversion"):
            image = to_rgb(frame.picture, how, scaler)
        yield DecodedFrame(frame.number, index.pts[frame.number], index.time_base, False, image)


def _measure(window: Window) -> None:
    """Measures input and output, which takes as long."""
    for one in prior_maps(window.frames):
        heat_map(one)
    for _ in range(2):
        sharpness(window.outputs)


def _encode(source: Source, decoded: Sequence[NumberedFrame], target: Path, clock: StageClock) -> None:
    images = [frame.image for frame in _converted(source, decoded, StageClock())]
    with clock.stage("encoding"), PieceEncoder(target, source, EncodeOptions()) as piece:
        for number, image in enumerate(images):
            piece.write(image, number)
    clock.seconds["encoding"] -= clock.seconds["conversion back"]
