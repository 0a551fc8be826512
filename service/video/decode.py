"""Decodes the frames of a video by their numbers, as RGB, with their exact times."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from service.types import Interlacing
from service.video.color import conversion
from service.video.conversion.rgb import to_rgb
from service.video.fields.deinterlacing import REACH, deinterlaced
from service.video.fields.pulldown import with_repeats
from service.video.frames import numbered_frames
from service.video.headers.captions import captions_of
from service.video.packets.gaps import NumberedFrame
from service.video.source import Source


@dataclass(frozen=True)
class DecodedFrame:
    """One frame in presentation order."""

    number: int
    pts: int
    """When it appears, in ticks of ``time_base``, by the clock of the source."""
    time_base: Fraction
    corrupt: bool
    """Whether a part of its data is lost, so that the decoder concealed it."""
    image: NDArray[np.uint8]
    """uint8 [H, W, 3], RGB, not rotated."""
    held: bool = False
    """Whether it does not decode, so that the image is its neighbor's."""
    deinterlaced: bool = False
    repeats: bool = False
    """Whether one of the two fields that it was made of is that of the frame before."""
    interlaced: bool = False
    """Whether it says that it is interlaced, and was to be left so."""
    original: VideoFrame | None = None
    """The frame before it was converted, where it was asked for."""
    captions: bytes = b""
    """CEA-608 and CEA-708 captions, in the triplets of ATSC A/53."""


def decode_range(
    source: Source, start: int, stop: int, interlacing: Interlacing = "auto", with_originals: bool = False
) -> Iterator[DecodedFrame]:
    """Decodes the frames ``start <= number < stop``, each once and in order; holds few frames at a time.

    Frames that say that they are interlaced are deinterlaced if ``interlacing`` is ``auto``, the same wherever the
    range begins and ends. Rotation is not applied: it travels as ``source.picture.display_matrix``.
    ``with_originals``: whether the frames come as they were before they were converted, too.
    Raises what ``numbered_frames`` raises.
    """
    index, picture = source.index, source.picture
    how, scaler = conversion(picture.color, picture.height), VideoReformatter()
    with closing(_frames(source, start, stop, interlacing)) as frames:
        for frame in frames:
            if start <= frame.number < stop:
                yield DecodedFrame(
                    number=frame.number,
                    pts=index.pts[frame.number],
                    time_base=index.time_base,
                    corrupt=frame.corrupt,
                    image=to_rgb(frame.picture, how, scaler),
                    held=frame.held,
                    deinterlaced=frame.deinterlaced,
                    repeats=frame.repeats,
                    interlaced=interlacing == "keep" and bool(frame.picture.interlaced_frame),
                    original=frame.picture if with_originals else None,
                    captions=captions_of(frame.picture),
                )


def _frames(source: Source, start: int, stop: int, interlacing: Interlacing) -> Generator[NumberedFrame]:
    if interlacing != "auto":
        yield from numbered_frames(source, start, stop)
        return
    first, last = max(0, start - REACH), min(source.index.frames, stop + REACH)
    with closing(numbered_frames(source, first, last)) as frames:
        yield from deinterlaced(with_repeats(frames))
