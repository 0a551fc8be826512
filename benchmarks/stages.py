"""Splits the processor time of the work around the network by stage, for ``python -m benchmarks.pipeline``.

The stages of a segment run beside each other, and the codecs have threads of their own. Here each stage runs alone, for
all frames, so that the processor time of the whole process meanwhile is its own.
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
from service.video.encoding.pictures import Image, PictureMaker
from service.video.encoding.piece import PieceEncoder
from service.video.frames import numbered_frames
from service.video.packets.gaps import NumberedFrame
from service.video.source import Source, load_source

STAGES = ("decoding", "conversion", "windows", "measuring", "conversion back", "encoding")


class StageClock:
    """Adds up the processor time of each stage."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Counts what the block takes for the stage ``name``."""
        began = time.process_time()
        yield
        self.seconds[name] += time.process_time() - began


def measure_stages(clip: Path, frames: int, window: int, folder: Path) -> dict[str, float]:
    """Returns the seconds of a processor that each stage takes for one frame, of the first ``frames`` of ``clip``."""
    source, clock = load_source(clip), StageClock()
    with clock.stage("decoding"):
        decoded = list(numbered_frames(source, 0, frames))
    with clock.stage("conversion"):
        images = _converted(source, decoded)
    with clock.stage("windows"):
        windows = list(form_windows(_numbered(source, images), Segment(0, 0, frames), window, lambda _: None))
    with clock.stage("measuring"):
        _measure(windows)
    _encode(source, images, folder / "stages.mp4", clock)
    return {name: seconds / frames for name, seconds in clock.seconds.items()}


def _converted(source: Source, decoded: Sequence[NumberedFrame]) -> list[Image]:
    how, scaler = conversion(source.picture.color, source.picture.height), VideoReformatter()
    return [to_rgb(frame.picture, how, scaler) for frame in decoded]


def _numbered(source: Source, images: Sequence[Image]) -> Generator[DecodedFrame]:
    index = source.index
    for number, image in enumerate(images):
        yield DecodedFrame(number, index.pts[number], index.time_base, corrupt=False, image=image)


def _measure(windows: Sequence[Window]) -> None:
    """Measures input and output, as long as each other, of each window."""
    for window in windows:
        for one in prior_maps(window.frames):
            heat_map(one)
        for _ in range(2):
            sharpness(window.outputs)


def _encode(source: Source, images: Sequence[Image], target: Path, clock: StageClock) -> None:
    """Encodes the frames; only the encoder's part of that is converted before."""
    options = EncodeOptions()
    maker = PictureMaker(source.picture, options)
    with clock.stage("conversion back"):
        for image in images:
            maker.picture(image, None)
    with clock.stage("encoding"), PieceEncoder(target, source, options) as piece:
        for number, image in enumerate(images):
            piece.write(image, number)
    clock.seconds["encoding"] -= clock.seconds["conversion back"]
