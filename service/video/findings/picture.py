"""What a result keeps of the pictures' depth, color, transparency and shape."""

from __future__ import annotations

from collections.abc import Iterator

from service.encoding.codecs import CODECS
from service.encoding.pixels import loses_chroma
from service.findings import Code, Finding, Kind, said
from service.types import EncodeOptions
from service.video.color import result_tags
from service.video.encoding.layout import layout
from service.video.source import PictureFormat

_WITH_LIGHT = ("h264", "hevc", "av1", "prores")
_CHROMA_NAMES = {"gray": "gray", "rgb": "RGB"}

_INTERLACING = {"auto": "deinterlaced", "keep": "fields_kept", "off": "taken_as_progressive"}


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
        yield said(Kind.CHANGED, Code.INTERLACING, _INTERLACING[options.deinterlace])


def _depth(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    given, taken = picture.bit_depth, layout(picture, options).pixels.depth
    if taken < given:
        yield said(
            Kind.LOST, Code.BIT_DEPTH, "depth_reduced", {"given": given, "taken": taken, "codec": label}
        )
    elif given > 8:
        yield said(Kind.KEPT, Code.BIT_DEPTH, "depth_kept", {"given": given})


def _chroma(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    given, taken = picture.chroma, layout(picture, options).pixels.chroma
    if given in ("gray", "420", taken):
        if given not in ("gray", "420"):
            yield said(Kind.KEPT, Code.CHROMA, "chroma_kept", {"given": _chroma_name(given)})
    elif loses_chroma(given, taken):
        names = {"given": _chroma_name(given), "taken": _chroma_name(taken)}
        yield said(Kind.LOST, Code.CHROMA, "chroma_reduced", {"codec": label, **names})


def _alpha(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    if not picture.has_alpha:
        return
    if layout(picture, options).pixels.alpha:
        yield said(Kind.KEPT, Code.ALPHA, "alpha_kept")
    else:
        yield said(Kind.LOST, Code.ALPHA, "alpha_dropped", {"codec": label, "container": options.container})


def _color(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    taken = layout(picture, options)
    if picture.chroma == "rgb" and taken.pixels.chroma == "rgb":
        yield said(Kind.KEPT, Code.COLOR, "rgb_kept")
    elif picture.chroma == "rgb":
        yield said(Kind.CHANGED, Code.COLOR, "rgb_converted", {"codec": label})
    elif picture.color.matrix != taken.tags.matrix:
        yield said(Kind.CHANGED, Code.COLOR, "matrix_converted", {"codec": label})
    elif result_tags(picture.color, rgb=False) == taken.tags:
        yield said(Kind.KEPT, Code.COLOR, "color_kept")


def _light(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    """What HDR says beyond its color tags."""
    if picture.light and options.codec in _WITH_LIGHT:
        yield said(Kind.KEPT, Code.HDR, "hdr10_kept")
    elif picture.light:
        yield said(Kind.LOST, Code.HDR, "hdr10_dropped", {"codec": label})
    if picture.dynamic_light:
        yield said(Kind.LOST, Code.HDR, "hdr10_plus_dropped")
    if picture.dolby_vision:
        vision = picture.dolby_vision
        yield said(
            Kind.LOST, Code.HDR, "dolby_vision_dropped", {"profile": vision.profile, "base": f"{vision.base}"}
        )


def _size(picture: PictureFormat, options: EncodeOptions, label: str) -> Iterator[Finding]:
    taken = layout(picture, options)
    if (taken.width, taken.height) != (picture.width, picture.height):
        sizes = {"given": f"{picture.width}x{picture.height}", "made": f"{taken.width}x{taken.height}"}
        yield said(Kind.CHANGED, Code.SIZE, "size_made_even", {"codec": label, **sizes})


def _pixel_aspect(picture: PictureFormat) -> Iterator[Finding]:
    shape = picture.pixel_aspect
    if shape is not None and shape != 1:
        ratio = f"{shape.numerator}:{shape.denominator}"
        yield said(Kind.KEPT, Code.PIXEL_ASPECT, "pixel_shape_kept", {"shape": ratio})


def _chroma_name(chroma: str) -> str:
    return _CHROMA_NAMES.get(chroma) or ":".join(chroma)
