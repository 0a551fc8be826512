"""Clips whose samples are known: written as planes, not as pictures, and read back as planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from service.types import ColorTags
from service.video.conversion.planes import planes
from tests.support.clips import BT709

Planes = list[NDArray[np.integer[Any]]]


@dataclass(frozen=True)
class Coding:
    """How planes are stored."""

    pix_fmt: str
    codec: str = "ffv1"
    options: dict[str, str] = field(default_factory=dict)
    color: ColorTags = BT709
    pixel_aspect: Fraction | None = None
    tag: str | None = None


def write_planes(path: Path, coding: Coding, frames: Sequence[Planes], size: tuple[int, int]) -> Path:
    """Writes 25 frames a second of ``size`` (width, height); the container follows from the suffix."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(coding.codec, rate=25, options=coding.options)
        context = stream.codec_context
        context.width, context.height = size
        context.pix_fmt = coding.pix_fmt
        context.color_primaries, context.color_trc = coding.color.primaries, coding.color.transfer
        context.colorspace, context.color_range = coding.color.matrix, 2 if coding.color.full_range else 1
        if coding.pixel_aspect:
            context.sample_aspect_ratio = coding.pixel_aspect
        if coding.tag:
            context.codec_tag = coding.tag
        for number, samples in enumerate(frames):
            frame = av.VideoFrame(*size, coding.pix_fmt)
            for given, taken in zip(samples, planes(frame), strict=True):
                taken[:] = given
            frame.color_primaries, frame.color_trc = coding.color.primaries, coding.color.transfer
            frame.colorspace, frame.color_range = coding.color.matrix, 2 if coding.color.full_range else 1
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def read_planes(path: Path, decoder: str | None = None) -> list[Planes]:
    """The samples of every frame; ``decoder`` names the one to use."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if decoder is None:
            return [[np.array(plane) for plane in planes(frame)] for frame in container.decode(stream)]
        context = av.CodecContext.create(decoder, "r")
        found = [
            frame for packet in container.demux(stream) if packet.size for frame in context.decode(packet)
        ]
        found += context.decode(None)
        return [[np.array(plane) for plane in planes(frame)] for frame in found]
