"""Loads a video file as the pipeline sees it: its frame index, and how its pictures are coded."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from itertools import chain
from pathlib import Path

from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from service.encoding.pixels import Pixels
from service.errors.video import ColorRejected, DamagedVideo
from service.types import ColorTags, Excerpt
from service.video.color import chroma_of
from service.video.container import (
    DECODER_THREADS,
    decoder_of,
    head_of,
    open_video,
    video_stream,
)
from service.video.frame_limit import frame_limit
from service.video.headers.light import Light, read_light
from service.video.headers.said import DolbyVision, Said, container_says, filled
from service.video.index import FrameIndex
from service.video.packets.decoding import decode_frames, tagged
from service.video.packets.reading import read_index
from service.video.packets.rpu import rpu_of, vision_of
from service.video.packets.truncation import HEAD
from service.video.ranged import RangedFile
from service.video.timeline import Timeline

_COLOR_RANGE_FULL = 2
_LIGHT = (Type.MASTERING_DISPLAY_METADATA, Type.CONTENT_LIGHT_LEVEL)
_OPAQUE = 255


@dataclass(frozen=True)
class PictureFormat:
    """How the frames are coded. Width and height are before rotation."""

    width: int
    height: int
    pix_fmt: str
    bit_depth: int
    color: ColorTags
    interlaced: bool
    has_alpha: bool
    pixel_aspect: Fraction | None
    display_matrix: tuple[int, ...] | None
    """The container's 3x3 display matrix, row by row in FFmpeg's fixed point; None where it has none."""
    rotation: int
    """Degrees clockwise by which a player rotates the frames: 0, 90, 180 or 270."""
    chroma: str = "420"
    """The resolution of chroma, as in ``Pixels``."""
    light: Light | None = None
    """What HDR10 says of mastering display and brightness."""
    dynamic_light: bool = False
    """Whether the first frame has metadata of HDR10+."""
    dolby_vision: DolbyVision | None = None

    @property
    def pixels(self) -> Pixels:
        """What the frames are coded in."""
        return Pixels(self.chroma, self.bit_depth, self.has_alpha)


@dataclass(frozen=True)
class Source:
    """A readable video: where it lies, when its frames are shown and how they are coded."""

    path: Path
    index: FrameIndex
    picture: PictureFormat
    timeline: Timeline = field(default_factory=Timeline)
    """Brings the packets of all streams to the clock of ``index``."""


def load_source(path: Path, excerpt: Excerpt | None = None) -> Source:
    """Indexes ``path``, or returns the index made before, which the segments of a video share.

    An ``excerpt`` is a video of its own: its frames are numbered from 0, and its clock begins with the first of them.
    Raises what ``examine`` and ``open_video`` raise, ExcerptEmpty and FileNotFoundError.
    """
    status = path.stat()
    whole = _load(path.resolve(), status.st_mtime_ns, status.st_size)
    if excerpt is None:
        return whole
    index, picture = part_of(whole.index, whole.picture, excerpt)
    return replace(whole, index=index, picture=picture)


def part_of(index: FrameIndex, picture: PictureFormat, excerpt: Excerpt) -> tuple[FrameIndex, PictureFormat]:
    """Returns what is true of an excerpt: before it, frames may have another size. Raises ExcerptEmpty."""
    index = index.excerpt(excerpt)
    for tick, width, height in index.sizes:
        if tick <= index.pts[0]:
            picture = replace(picture, width=width, height=height)
    return index, picture


@lru_cache(maxsize=8)
def _load(path: Path, _modified_ns: int, _size: int) -> Source:
    with open_video(path) as container:
        index, timeline = read_index(container, video_stream(container), head_of(path, HEAD))
    return Source(path, *examine(path, index), timeline)


def examine(
    media: Path | RangedFile, index: FrameIndex, threads: int = DECODER_THREADS
) -> tuple[FrameIndex, PictureFormat]:
    """Decodes the beginning of the video and drops from the index the leading frames that do not decode.

    A stream cut out of a longer one may begin with frames that refer to what came before it; no player shows
    them. Raises DamagedVideo where nothing decodes.
    """
    first_key = index.keyframes[0].pts if index.keyframes else index.pts[0]
    first: VideoFrame | None = None
    decoded: set[int] = set()
    with open_video(media) as container:
        stream = video_stream(container)
        decoder = decoder_of(stream, frame_limit(), threads)
        packets = tagged(container, stream, index)
        unit = rpu_of(stream.codec_context, bytes(begin := next(packets)))
        for frame in decode_frames(chain([begin], packets), index, decoder):
            first = first or frame
            decoded.add(frame.pts or 0)
            if frame.pts is not None and frame.pts >= first_key:
                break
        if first is None:
            raise DamagedVideo("No frame of the video can be decoded. The file is damaged.")
        picture = _picture(stream, first)
        vision = vision_of(unit, picture.color.transfer)
        pid = stream.id if container.format.name == "mpegts" else None
    picture = _with_said(picture, container_says(media, pid), vision)
    leading = frozenset(pts for pts in index.pts if pts < first_key) - decoded
    return index.without(leading), picture


def _picture(stream: VideoStream, frame: VideoFrame) -> PictureFormat:
    components = frame.format.components
    return PictureFormat(
        width=frame.width,
        height=frame.height,
        pix_fmt=frame.format.name,
        bit_depth=max(component.bits for component in components),
        color=_color(frame),
        interlaced=frame.interlaced_frame,
        has_alpha=any(component.is_alpha for component in components)
        and not _is_opaque_animation(stream, frame),
        pixel_aspect=stream.sample_aspect_ratio or None,
        display_matrix=_display_matrix(frame),
        rotation=round(-frame.rotation / 90) * 90 % 360,
        chroma=chroma_of(frame.format),
        light=read_light(*(_side_data(frame, kind) for kind in _LIGHT)),
        dynamic_light=_side_data(frame, Type.DYNAMIC_HDR_PLUS) is not None,
    )


def _with_said(picture: PictureFormat, said: Said, coded: DolbyVision | None) -> PictureFormat:
    """Adds what the container says, or else the stream. Raises ColorRejected."""
    vision = said.dolby_vision or coded
    if vision is not None and vision.base is None:
        raise ColorRejected(
            f"The video is Dolby Vision of profile {vision.profile}: its frames are in colors of their own, which only "
            "a Dolby Vision decoder can show. Send it as profile 8, HDR10, HLG or SDR."
        )
    return replace(picture, color=filled(picture.color, said.color), dolby_vision=vision)


def _is_opaque_animation(stream: VideoStream, frame: VideoFrame) -> bool:
    """Returns whether an animation shows nothing of what lies behind it: all GIFs are decoded with transparency."""
    if stream.codec_context.name not in ("gif", "rawvideo"):
        return False
    return min(bytes(frame.reformat(format="rgba").planes[0])[3::4]) == _OPAQUE


def _color(frame: VideoFrame) -> ColorTags:
    full = frame.color_range == _COLOR_RANGE_FULL or frame.format.name.startswith("yuvj")
    return ColorTags(int(frame.color_primaries), int(frame.color_trc), int(frame.colorspace), full)


def _display_matrix(frame: VideoFrame) -> tuple[int, ...] | None:
    matrix = _side_data(frame, Type.DISPLAYMATRIX)
    if matrix is None:
        return _rotation_matrix(frame.rotation) if frame.rotation else None
    return struct.unpack("=9i", matrix[:36])


def _side_data(frame: VideoFrame, kind: Type) -> bytes | None:
    try:
        data = frame.side_data.get(kind)  # type: ignore[call-overload]  # the stub knows one type
    except ValueError:  # PyAV knows no name for data of another type, such as EXIF, and then tells of none
        return None
    return None if data is None else bytes(data)


def _rotation_matrix(degrees: int) -> tuple[int, ...]:
    """Returns FFmpeg's matrix of a rotation by a multiple of 90 degrees, counterclockwise."""
    cosine, sine = ((1, 0), (0, -1), (-1, 0), (0, 1))[round(degrees / 90) % 4]
    one = 1 << 16
    return (cosine * one, -sine * one, 0, sine * one, cosine * one, 0, 0, 0, 1 << 30)
