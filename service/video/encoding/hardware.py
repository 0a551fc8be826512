"""Finds the encoder in hardware that this machine has for a codec, by opening it.

Each is asked for constant quality and for no frames that refer forward. What it codes depends on the hardware and its
driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import cast

import av
from av.video.codeccontext import VideoCodecContext

from service.encoding.codecs import CODECS
from service.encoding.pixels import Pixels
from service.errors.pipeline import PipelineError
from service.types import EncodeOptions
from service.video.encoding.encoders import TAGS, Encoder

_TRIED = (256, 256)
"""Pixels of a side with which encoders are opened: some refuse smaller pictures."""
_PLANAR, _BIPLANAR = {8: "yuv420p", 10: "p010le"}, {8: "nv12", 10: "p010le"}
_BEST_OF_VIDEOTOOLBOX = 100


@dataclass(frozen=True)
class _Family:
    """Encoders of one maker; each is named after its codec."""

    name: str
    formats: Mapping[int, str]
    """The pixel format that they take, by bits per sample."""
    options: Callable[[int], dict[str, str]]
    """Options for a rate factor on the scale of x264."""


_FAMILIES = (
    _Family(
        "nvenc",
        _PLANAR,
        lambda crf: {"preset": "p6", "rc": "vbr", "cq": str(crf), "b": "0", "bf": "0", "forced-idr": "1"},
    ),
    _Family("qsv", _BIPLANAR, lambda crf: {"preset": "slower", "global_quality": str(crf), "bf": "0"}),
    _Family(
        "videotoolbox",
        _BIPLANAR,
        lambda crf: {"global_quality": str(_of_videotoolbox(crf)), "flags": "+qscale", "bf": "0"},
    ),
    _Family(
        "amf",
        _BIPLANAR,
        lambda crf: {"quality": "quality", "rc": "cqp", "qp_i": str(crf), "qp_p": str(crf), "bf": "0"},
    ),
)
_LAMBDA = 118
"""FFmpeg's unit of quality in ``global_quality``."""


def hardware(options: EncodeOptions, pixels: Pixels) -> Encoder:
    """Returns the first encoder in hardware that opens. Raises PipelineError where none does."""
    for family in _FAMILIES:
        name = f"{options.codec}_{family.name}"
        if _opens(name, family.formats.get(pixels.depth, "")):
            settings = family.options(_scale_of_x264(options))
            tag = TAGS.get(options.codec)
            return Encoder(name, settings, tag=tag, pix_fmt=family.formats[pixels.depth])
    label = CODECS[options.codec].label
    raise PipelineError(
        f"Nothing on this worker encodes {pixels} as {label} in hardware. Ask for encoder=software, or have all "
        "workers on machines with such a GPU."
    )


def found() -> tuple[str, ...]:
    """Returns the names of all encoders in hardware that open on this machine."""
    names = [f"{codec}_{family.name}" for codec in CODECS for family in _FAMILIES]
    formats = {f"{codec}_{family.name}": family.formats[8] for codec in CODECS for family in _FAMILIES}
    return tuple(name for name in names if _opens(name, formats[name]))


@lru_cache(maxsize=64)
def _opens(name: str, pix_fmt: str) -> bool:
    """Returns whether FFmpeg has the encoder and the hardware takes its pictures."""
    if not pix_fmt:
        return False
    try:
        context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
        context.width, context.height = _TRIED
        context.pix_fmt, context.time_base = pix_fmt, Fraction(1, 25)
        context.framerate = Fraction(25)
        context.open()
    except (av.FFmpegError, ValueError):
        return False
    return True


def _scale_of_x264(options: EncodeOptions) -> int:
    """Returns a rate factor from 0 to 51; that of AV1 goes to 63."""
    crf = options.crf or 0
    return round(crf * CODECS["h264"].worst_crf / CODECS[options.codec].worst_crf)


def _of_videotoolbox(crf: int) -> int:
    best = _BEST_OF_VIDEOTOOLBOX
    return _LAMBDA * max(1, best - round(best * crf / CODECS["h264"].worst_crf))
