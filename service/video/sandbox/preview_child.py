"""The child process of a preview.

``python -m service.video.sandbox.preview_child LIMITS`` reads which frames are wanted and writes a JPEG or a refusal.
The frames are as a player shows them on an ordinary screen: upright, with square pixels, deinterlaced, in sRGB. Several
of them stand beside each other.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from contextlib import closing
from fractions import Fraction
from itertools import pairwise

import av
from av.codec.context import CodecContext
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from service.errors.pipeline import PipelineError
from service.errors.video import DamagedVideo, VideoError
from service.text import plural
from service.types import Interlacing
from service.video.color import MATRIX_BT601, QUALITY, Conversion, chroma_of, conversion
from service.video.conversion.sdr import in_srgb, is_foreign
from service.video.fields.deinterlacing import REACH, deinterlaced
from service.video.frames import numbered_frames
from service.video.index import FrameIndex
from service.video.sandbox.child import restrict
from service.video.sandbox.preview import JPEG, PNG, PreviewLimits, Shot, limits_from_json, shots_from_json
from service.video.sandbox.refusals import refusal_to_json, unforeseen
from service.video.source import PictureFormat, Source, load_source

_FORMAT, _DEEP = "yuvj420p", "rgb48le"
_QUANTIZER = 3
"""JPEG's quantizer on FFmpeg's scale from 1 (fine) to 31: fine enough to judge sharpness by."""
_TIME_BASE = Fraction(1, 25)
"""Single pictures have no times, but filters and encoders require a unit of them."""
_FROM_YCGCO = (
    "format=yuv444p,setparams=colorspace=ycgco:range={range}:color_primaries=bt709:color_trc=bt709,"
    "colorspace=space=smpte170m:primaries=bt709:trc=bt709:range=pc:format=yuv444p:fast=1"
)
"""Filters from YCgCo, which the scaler lacks, to the colors of JPEG. Primaries and transfer stay."""
_JPEG_COLORS = Conversion(MATRIX_BT601, full_range=True)
_LIT = 24.0
"""Mean luma, in 0..255, from which on a frame is not black."""
_NEAR = 20
"""A keyframe is near enough within one in so many of all frames."""
_TRANSPOSITIONS = {0: (), 90: ("clock",), 180: ("clock", "clock"), 270: ("cclock",)}


def main() -> None:
    """Answers the request on standard input."""
    limits, shots = limits_from_json(sys.argv[1]), shots_from_json(sys.stdin.read())
    restrict(limits.memory, limits.timeout_s)
    try:
        answer = jpeg(shots, limits)
    except VideoError as error:
        answer = refusal_to_json(error).encode()
    except (PipelineError, OSError, av.FFmpegError, MemoryError) as error:
        answer = refusal_to_json(DamagedVideo(f"This frame cannot be shown: {error}")).encode()
    except Exception as error:  # noqa: BLE001  # what a file from a stranger can raise is not bounded
        answer = refusal_to_json(unforeseen(error)).encode()
    sys.stdout.buffer.write(answer)


def jpeg(shots: Sequence[Shot], limits: PreviewLimits) -> bytes:
    """Returns a JPEG, or a PNG, of the frames beside each other, each within ``limits.side`` pixels.

    Raises VideoError's kinds and PipelineError.
    """
    encoder = CodecContext.create("png" if limits.png else "mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    stills = (_still(shot, limits) for shot in shots)
    picture = _beside([_first_lit(stills)] if limits.first_lit else list(stills))
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, _format(limits)
    encoder.time_base = _TIME_BASE
    encoder.color_range = ColorRange.JPEG
    if not limits.png:
        encoder.options = {"qmin": str(_QUANTIZER), "qmax": str(_QUANTIZER)}
    data = b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
    assert data.startswith((JPEG, PNG))
    return data


def _first_lit(stills: Iterable[tuple[VideoFrame, int]]) -> tuple[VideoFrame, int]:
    """Returns the first frame that is not nearly black, or else the lightest."""
    seen = []
    for still in stills:
        seen.append((_lightness(still[0]), still))
        if seen[-1][0] >= _LIT:
            break
    return max(seen, key=lambda one: one[0])[1]


def _lightness(frame: VideoFrame) -> float:
    """Returns the mean of luma, in 0..255."""
    luma = frame.planes[0]
    rows = memoryview(luma)
    used = [rows[y * luma.line_size : y * luma.line_size + luma.width] for y in range(0, luma.height, 4)]
    return sum(map(sum, used)) / (len(used) * luma.width)


def _still(shot: Shot, limits: PreviewLimits) -> tuple[VideoFrame, int]:
    """Returns a frame in JPEG's colors, not rotated yet, and the degrees clockwise by which a player rotates it."""
    source = load_source(shot.path, shot.excerpt)
    if shot.frame >= source.index.frames:
        raise PipelineError(f"The video has {plural(source.index.frames, 'frame')}.")
    number = _keyframe(source.index, shot.frame) if limits.keyframes else shot.frame
    picture = _picture(source, number, shot.deinterlace, ahead_only=limits.keyframes)
    return _converted(picture, source, limits), source.picture.rotation


def _picture(source: Source, number: int, interlacing: Interlacing, ahead_only: bool) -> VideoFrame:
    """Returns a frame, deinterlaced if need be; ``ahead_only``: without the frame before it, if there is one after."""
    with closing(numbered_frames(source, number, number + 1)) as frames:
        (frame,) = frames
    if interlacing != "auto" or not frame.picture.interlaced_frame:
        return frame.picture
    last = source.index.frames - 1
    first = number if ahead_only and number < last else max(0, number - REACH)
    with closing(numbered_frames(source, first, min(last, number + REACH) + 1)) as frames:
        return next(one.picture for one in deinterlaced(frames) if one.number == number)


def _keyframe(index: FrameIndex, frame: int) -> int:
    """Returns the number of the keyframe shortly before a frame; the frame itself where there is none."""
    first = max(0, frame - index.frames // _NEAR)
    near = [key.pts for key in index.keyframes if index.pts[first] <= key.pts <= index.pts[frame]]
    number = bisect_left(index.pts, near[-1]) if near else frame
    return number if near and index.pts[number] == near[-1] else frame


def _format(limits: PreviewLimits) -> str:
    return "rgb24" if limits.png else _FORMAT


def _converted(frame: VideoFrame, source: Source, limits: PreviewLimits) -> VideoFrame:
    width, height = _size(source.picture, limits.side)
    how = conversion(source.picture.color, source.picture.height)
    if how.ycgco:
        frame = _filtered(frame, _FROM_YCGCO.format(range="pc" if how.full_range else "tv"))
        how = _JPEG_COLORS
    color, light = source.picture.color, source.picture.light
    if is_foreign(color):
        deep = _scaled(frame, width, height, _DEEP, how)
        frame = in_srgb(deep, color, light.peak if light else None)
    return _scaled(frame, width, height, _format(limits), how)


def _scaled(frame: VideoFrame, width: int, height: int, pix_fmt: str, how: Conversion) -> VideoFrame:
    """Returns a frame in RGB, or in the Y'CbCr of JPEG."""
    from_rgb = chroma_of(frame.format) == "rgb"
    return VideoReformatter().reformat(
        frame,
        width,
        height,
        pix_fmt,
        src_colorspace=None if from_rgb else how.matrix,
        dst_colorspace=Colorspace.ITU601,
        src_color_range=None if from_rgb else how.color_range,
        dst_color_range=ColorRange.JPEG,
        interpolation=QUALITY,
    )


def _filtered(frame: VideoFrame, filters: str) -> VideoFrame:
    """Returns a frame after a chain of filters, written as for FFmpeg's own command."""
    graph = Graph()
    start = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=_TIME_BASE
    )
    chain = [start, *(graph.add(*each.split("=", 1)) for each in filters.split(",")), graph.add("buffersink")]
    for one, other in pairwise(chain):
        one.link_to(other)
    graph.configure()
    frame.pts, frame.time_base = 0, _TIME_BASE
    start.push(frame)
    picture = chain[-1].pull()
    assert isinstance(picture, VideoFrame)
    return picture


def _size(picture: PictureFormat, side: int) -> tuple[int, int]:
    """Returns an even width and height, at most ``side``, for square pixels; enlarges nothing beyond their shape."""
    wide = picture.width * float(picture.pixel_aspect or 1)
    scale = min(1.0, side / max(wide, picture.height))
    return max(2, round(wide * scale / 2) * 2), max(2, round(picture.height * scale / 2) * 2)


def _beside(stills: Sequence[tuple[VideoFrame, int]]) -> VideoFrame:
    """Rotates the frames and puts them beside each other."""
    graph = Graph()
    ends, inputs = [], []
    for frame, rotation in stills:
        start = graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=_TIME_BASE
        )
        chain = [start, *(graph.add("transpose", turn) for turn in _TRANSPOSITIONS[rotation])]
        for one, other in pairwise(chain):
            one.link_to(other)
        inputs.append(start)
        ends.append(chain[-1])
    _stacked(graph, ends).link_to(sink := graph.add("buffersink"))
    graph.configure()
    for start, (frame, _) in zip(inputs, stills, strict=True):
        frame.pts, frame.time_base = 0, _TIME_BASE
        start.push(frame)
    picture = sink.pull()
    assert isinstance(picture, VideoFrame)
    return picture


def _stacked(graph: Graph, ends: Sequence[FilterContext]) -> FilterContext:
    if len(ends) == 1:
        return ends[0]
    stack = graph.add("hstack", f"inputs={len(ends)}")
    for number, end in enumerate(ends):
        end.link_to(stack, 0, number)
    return stack


if __name__ == "__main__":
    main()
