"""FFmpeg's encoders for the codecs of results, with options whose bytes depend on nothing but the frames.

Every piece is encoded by itself and begins with a keyframe, nothing in it refers to another piece, and packets come in
the order of presentation. Numbers of threads are fixed, because bytes may depend on them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import cv2

from service.encoding.pixels import HUGE_PIXELS, Pixels
from service.types import EncodeOptions
from service.video.headers.light import Light, MasteringDisplay, mastering_text, mastering_text_in_units

_THREADS = 2
_CPU_AVX_512F = 13
"""OpenCV's number of this feature, which has no name in its Python module."""
_X264 = "open-gop=0" + (":asm=AVX2" if cv2.checkHardwareSupport(_CPU_AVX_512F) else "")
"""Without open-gop=0 a piece refers to its neighbor. With AVX-512, x264's look-ahead reads memory that it never wrote
where a picture's width is no multiple of 128: now and then a piece has other bytes. AVX2 is as fast."""
_X264_HUGE, _X265_HUGE = "rc-lookahead=2:ref=1", "rc-lookahead=4:ref=1"
"""For pictures of HUGE_PIXELS: at 8K, x264 takes 0.9 GB in place of 4.5, x265 2.1 in place of 4.1."""
_X265 = "open-gop=0:bframes=0:cutree=0:weightp=0:pools=2:frame-threads=1:log-level=error:info=0"
"""With cutree, small pictures have other bytes in one of twenty encodings, with weightp in one of hundreds, whatever
the threads and the assembly."""
TAGS = {"hevc": "hvc1"}
"""QuickTime and Safari play HEVC by this name only."""
_PRORES_PROFILES = {"draft": ("1", "apcs"), "good": ("2", "apcn"), "high": ("3", "apch")}
_PRORES_4444 = ("4", "ap4h")
_SLICES_FROM = 480
"""Lines from which on FFV1 is cut into more slices, which are coded beside each other."""


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg and how it is set up."""

    name: str
    options: dict[str, str] = field(default_factory=dict)
    tag: str | None = None
    """The code of the codec in MP4 and MOV where there are several."""
    gop: int | None = None
    threads: int = _THREADS
    pix_fmt: str | None = None
    """The pixel format that it takes, where that is another arrangement of the result's samples."""


@dataclass(frozen=True)
class Pictures:
    """What an encoder has to know of the pictures."""

    pixels: Pixels
    width: int
    height: int
    light: Light | None = None

    @property
    def huge(self) -> bool:
        """Whether encoders have to save memory, whatever machine they run on: bytes depend on it."""
        return self.width * self.height >= HUGE_PIXELS


def software(options: EncodeOptions, pictures: Pictures) -> Encoder:
    """Returns the encoder in software."""
    return {
        "h264": _h264,
        "hevc": _hevc,
        "av1": _av1,
        "vp9": _vp9,
        "prores": _prores,
        "ffv1": _ffv1,
    }[options.codec](options, pictures)


def _h264(options: EncodeOptions, pictures: Pictures) -> Encoder:
    rate = {"qp": "0"} if options.crf is None else {"crf": str(options.crf)}
    parameters = _parameters(
        _X264, *([_X264_HUGE] if pictures.huge else []), *_light(pictures.light, "mastering-display", "cll")
    )
    fixed = {"preset": "medium", "threads": str(_THREADS), "bf": "0", "x264-params": parameters}
    return Encoder("libx264", {**fixed, **rate})


def _hevc(options: EncodeOptions, pictures: Pictures) -> Encoder:
    rate = "lossless=1" if options.crf is None else f"crf={options.crf}"
    light = _light(pictures.light, "master-display", "max-cll")
    parameters = _parameters(_X265, *([_X265_HUGE] if pictures.huge else []), rate, *light)
    return Encoder("libx265", {"preset": "medium", "x265-params": parameters}, tag=TAGS["hevc"])


def _av1(options: EncodeOptions, pictures: Pictures) -> Encoder:
    light = _light(pictures.light, "mastering-display", "content-light", mastering_text_in_units)
    parameters = _parameters("lp=2", *light)
    return Encoder("libsvtav1", {"preset": "8", "crf": str(options.crf), "svtav1-params": parameters})


def _light(
    light: Light | None,
    display: str,
    content: str,
    text: Callable[[MasteringDisplay], str] = mastering_text,
) -> Iterator[str]:
    """Yields the parameters, named ``display`` and ``content``, that say the light of HDR10 in the stream."""
    if light and light.mastering:
        yield f"{display}={text(light.mastering)}"
    if light and light.content:
        yield f"{content}={light.content[0]},{light.content[1]}"


def _parameters(*each: str) -> str:
    return ":".join(each)


def _vp9(options: EncodeOptions, pictures: Pictures) -> Encoder:
    rate = {"lossless": "1"} if options.crf is None else {"crf": str(options.crf), "b": "0"}
    # The encoder takes no hidden reference frames where it codes transparency beside the picture.
    hidden = {
        "auto-alt-ref": "0" if pictures.pixels.alpha else "1",
        "lag-in-frames": "0" if pictures.pixels.alpha else "16",
    }
    return Encoder("libvpx-vp9", {"deadline": "good", "cpu-used": "3", "row-mt": "0", **hidden, **rate})


def _prores(options: EncodeOptions, pictures: Pictures) -> Encoder:
    profile, tag = _PRORES_PROFILES[options.encode_quality or "high"]
    if pictures.pixels.chroma == "444":
        profile, tag = _PRORES_4444
    alpha = {"alpha_bits": "16"} if pictures.pixels.alpha else {}
    return Encoder("prores_ks", {"profile": profile, "vendor": "apl0", **alpha}, tag=tag)


def _ffv1(_options: EncodeOptions, pictures: Pictures) -> Encoder:
    slices = "4" if pictures.height < _SLICES_FROM else "16"
    return Encoder("ffv1", {"level": "3", "slices": slices, "slicecrc": "1"}, gop=1)
