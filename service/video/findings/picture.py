"""What a result keeps of the pictures' depth, color, transparency and shape."""

from __future__ import annotations

from collections.abc import Iterator

from service.encoding.codecs import CODECS
from service.encoding.pixels import CHROMAS
from service.findings import Code, Finding, Kind
from service.types import EncodeOptions
from service.video.color import result_tags
from service.video.encoding.layout import layout
from service.video.source import PictureFormat

_WITH_LIGHT = ("h264", "hevc", "av1", "prores")
_CHROMA_NAMES = {"gray": "gray", "rgb": "RGB"}

DEINTERLACED = "Interlaced frames are deinterlaced, by bwdif and each frame's own flag."
KEPT_INTERLACED = (
    "Interlaced frames keep both fields, each restored by itself; the result does not mark them."
)
TAKEN_AS_PROGRESSIVE = "Interlaced frames are taken for progressive ones, as was asked for."

_INTERLACING = {"auto": DEINTERLACED, "keep": KEPT_INTERLACED, "off": TAKEN_AS_PROGRESSIVE}


def picture_findings(picture: PictureFormat, options: EncodeOptions) -> Iterator[Finding]:
    """Yields what is known from the first frame and the options."""
    label = CODECS[options.codec].label
    yield from _depth(picture, options, label)
    yield from _chroma(picture, options, label)
    yield from _alpha(picture, options, label)
    yield from _color(picture, options, label)
    yield from _light(picture, options, label)
    yield from _size(picture, options, label)
    yield from _pixel_aspect(picture)
    if picture.interlaced:
        yield Finding(Kind.CHANGED, Code.INTERLACING, _INTERLACING[options.deinterlace])


def _depth(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    given, taken = picture.bit_depth, layout(picture, options).pixels.depth
    if taken < given:
        text = f"{given} bits per sample are reduced to the {taken} that {label} has here."
        yield Finding(Kind.LOST, Code.BIT_DEPTH, text)
    elif given > 8:
        text = f"{given} bits per sample are kept: what the network changes is added to them."
        yield Finding(Kind.KEPT, Code.BIT_DEPTH, text)


def _chroma(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    given, taken = picture.chroma, layout(picture, options).pixels.chroma
    if given in ("gray", "420", taken):
        if given not in ("gray", "420"):
            yield Finding(Kind.KEPT, Code.CHROMA, f"Chroma is kept at {_chroma_name(given)}.")
    elif _is_finer(given, taken):
        text = f"Chroma is reduced from {_chroma_name(given)} to the {_chroma_name(taken)} of {label}."
        yield Finding(Kind.LOST, Code.CHROMA, text)


def _alpha(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    if not picture.has_alpha:
        return
    if layout(picture, options).pixels.alpha:
        yield Finding(Kind.KEPT, Code.ALPHA, "Transparency is kept as it is.")
    else:
        text = f"Transparency is dropped: {label} in {options.container} has none."
        yield Finding(Kind.LOST, Code.ALPHA, text)


def _color(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    taken = layout(picture, options)
    if picture.chroma == "rgb" and taken.pixels.chroma == "rgb":
        yield Finding(Kind.KEPT, Code.COLOR, "Pictures coded in RGB stay so.")
    elif picture.chroma == "rgb":
        yield Finding(Kind.CHANGED, Code.COLOR, f"Pictures coded in RGB become Y'CbCr of BT.709 in {label}.")
    elif picture.color.matrix != taken.tags.matrix:
        yield Finding(
            Kind.CHANGED, Code.COLOR, f"The matrix YCgCo, which {label} cannot name, becomes BT.709."
        )
    elif result_tags(picture.color, rgb=False) == taken.tags:
        yield Finding(Kind.KEPT, Code.COLOR, "Primaries, transfer, matrix and range are kept.")


def _light(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    """What HDR says beyond its color tags."""
    if picture.light and options.codec in _WITH_LIGHT:
        yield Finding(Kind.KEPT, Code.HDR, "The mastering display and the light levels of HDR10 are kept.")
    elif picture.light:
        text = f"The mastering display and the light levels of HDR10 are left out: {label} has no place for them here."
        yield Finding(Kind.LOST, Code.HDR, text)
    if picture.dynamic_light:
        yield Finding(Kind.LOST, Code.HDR, "The dynamic metadata of HDR10+ is left out; HDR10 remains.")
    if picture.dolby_vision:
        vision = picture.dolby_vision
        text = f"Dolby Vision of profile {vision.profile} is left out; its base, {vision.base}, is restored."
        yield Finding(Kind.LOST, Code.HDR, text)


def _size(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    taken = layout(picture, options)
    if (taken.width, taken.height) != (picture.width, picture.height):
        text = (
            f"{picture.width}x{picture.height} becomes {taken.width}x{taken.height} by repeating the edge: {label} "
            f"that plays everywhere has even sizes."
        )
        yield Finding(Kind.CHANGED, Code.SIZE, text)


def _pixel_aspect(picture: PictureFormat) -> Iterator[Finding]:
    shape = picture.pixel_aspect
    if shape is not None and shape != 1:
        text = f"The shape of pixels, {shape.numerator}:{shape.denominator}, is kept."
        yield Finding(Kind.KEPT, Code.PIXEL_ASPECT, text)


def _is_finer(given: str, taken: str) -> bool:
    if given == "rgb":
        return taken != "444"
    return CHROMAS.index(given) > CHROMAS.index(taken)


def _chroma_name(chroma: str) -> str:
    return _CHROMA_NAMES.get(chroma) or ":".join(chroma)
