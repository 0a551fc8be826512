"""Opens files from strangers, by path or as a file object, in a container format on a list.

Playlists, concat scripts, SDP, image sequences and the like can name other files or addresses. So only formats that
hold their own frames are on the list, and FFmpeg may use no protocol but ``file``.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any, cast

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from service.errors.video import DamagedVideo, NotAVideo, NoVideoStream
from service.video.assembled.local import LocalFile, WholeReads
from service.video.assembled.pictures import MAGIC as ZIP
from service.video.assembled.pictures import PictureArchive
from service.video.assembled.virtual import VirtualMovie
from service.video.assembled.webp import WebpAnimation, is_webp
from service.video.channels import forget_list, lists_channels
from service.video.frame_limit import frame_limit
from service.video.ranged import RangedFile

FORMATS = (
    "mov",
    "mp4",
    "m4a",
    "3gp",
    "3g2",
    "mj2",
    "matroska",
    "webm",
    "avi",
    "mpegts",
    "mpeg",
    "flv",
    "asf",
    "ogg",
    "mxf",
    "dv",
    "ivf",
    "nut",
    "yuv4mpegpipe",
    "gif",
    "apng",
)
ACCEPTED = (
    "MP4, MOV, MKV, WebM, AVI, MPEG-TS, MPEG-PS, FLV, WMV, Ogg, MXF, DV, Y4M, IVF, NUT, an animation in GIF, APNG or "
    "WebP, or a ZIP of numbered PNG, JPEG or TIFF pictures"
)

DECODER_THREADS = 2
"""Few, because decoding is a small share of the work, and every thread holds frames."""

MOST_VIDEO_STREAMS = 32
"""Whoever opens a file decodes the beginning of all its videos, to find out about them. Broadcasts have some twenty."""

_ALIGNMENT_SLACK = 1 << 20
"""Pixels above the limit that pass: decoders check sizes rounded up to whole blocks."""

_PICTURE_CODECS = {
    "apng",
    "bmp",
    "gif",
    "jpegls",
    "jpegxl",
    "jpegxl_anim",
    "mjpeg",
    "png",
    "tiff",
    "webp",
    "webp_anim",
}

_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}

_STILL = Disposition.attached_pic | Disposition.still_image | Disposition.timed_thumbnails
_MP4_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MAGIC = (
    *(b"\x1a\x45\xdf\xa3", b"FLV\x01", b"\x00\x00\x01\xba", b"OggS", b"YUV4MPEG2", b"GIF8", b"DKIF"),
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01\x02",  # MXF
    b"nut/multimedia",
)

_SNIFFED = 16
"""Bytes by which a file is known."""


def open_video(media: Path | RangedFile) -> InputContainer:
    """Opens ``media`` for reading. Raises NotAVideo or DamagedVideo."""
    options = {
        "format_whitelist": ",".join(FORMATS),
        "protocol_whitelist": "file",
        "codec_whitelist": _decoded_at_once(),
        "fflags": "+genpts",  # AVI stores no presentation times; FFmpeg then works them out
        "max_pixels": str(frame_limit() + _ALIGNMENT_SLACK),
    }
    try:
        openable = _openable(media)
        if isinstance(openable, VirtualMovie):
            # Made here, of one stream of pictures, whose sizes nobody wrote down.
            del options["codec_whitelist"]
        container = av.open(openable, "r", options=options, metadata_errors="replace")
    except av.FFmpegError as error:
        if _begins_like_a_video(media):
            raise DamagedVideo(
                "The file begins like a video, but its index cannot be read. It is probably truncated. "
                "Send the complete file."
            ) from error
        raise NotAVideo(f"The file is in no container format that is accepted. Send {ACCEPTED}.") from error
    for stream in container.streams.audio:
        if stream.codec_context is not None and lists_channels(stream.codec_context):
            forget_list(stream.codec_context)
    return container


@cache
def _decoded_at_once() -> str:
    """Returns the codecs that FFmpeg may decode to find the streams, before anybody asks for a frame.

    Pictures are not among them: a container can have hundreds attached, each some kilobytes that become 100 megabytes.
    The sizes of videos in these codecs are in their containers.
    """
    return ",".join(sorted(av.codecs_available - _PICTURE_CODECS))


def head_of(media: Path | RangedFile, size: int) -> bytes:
    """Returns the first ``size`` bytes of a file."""
    if isinstance(media, Path):
        with media.open("rb") as file:
            return file.read(size)
    media.seek(0)
    return media.read(size)


def video_stream(container: InputContainer) -> VideoStream:
    """Returns the stream that a player would show: of those that are no cover pictures or thumbnails, the default one.

    Where none is marked as such, it is the first.

    Raises DamagedVideo for a container without any stream and for a codec that cannot be decoded here, NoVideoStream
    for a container without video.
    """
    if len(container.streams) == 0:
        raise DamagedVideo("The container holds no streams at all. The file is probably truncated.")
    moving = moving_streams(container)
    if moving:
        stream = next((one for one in moving if one.disposition & Disposition.default), moving[0])
        if stream.codec_context is None:
            raise DamagedVideo("The video stream is in a codec that cannot be decoded here.")
        return stream
    raise NoVideoStream("The file holds no video stream, only sound, subtitles or pictures. Send a video.")


def moving_streams(container: InputContainer) -> list[VideoStream]:
    """Returns the streams of video that are no cover pictures or thumbnails."""
    return [stream for stream in container.streams.video if not stream.disposition & _STILL]


def packets_of(container: InputContainer, *streams: Stream) -> Generator[Packet[Any]]:
    """Yields the packets of ``streams``, of all where none is named, from the container's position on.

    To be used in place of ``demux``, whose generator keeps its buffer for good where nobody closes it: PyAV's compiled
    generators are not closed when they are dropped, and this one is.
    """
    yield from container.demux(*streams)


def decoder_of(stream: VideoStream, max_pixels: int, threads: int = DECODER_THREADS) -> VideoCodecContext:
    """Returns the decoder with its limits: a frame above ``max_pixels`` fails before it is allocated."""
    context = _with_alpha(stream) or stream.codec_context
    context.thread_type = ThreadType.SLICE  # of frame threads, an error takes the frames before it along
    context.thread_count = threads
    context.options = {**context.options, "max_pixels": str(max_pixels + _ALIGNMENT_SLACK)}
    return context


def _with_alpha(stream: VideoStream) -> VideoCodecContext | None:
    """Returns a decoder for transparency, which WebM keeps beside the frames of VP8 and VP9; FFmpeg has none itself."""
    name, usual = _ALPHA_DECODERS.get(stream.codec_context.name), stream.codec_context
    marks = {key.lower(): value for key, value in stream.metadata.items()}
    if name is None or marks.get("alpha_mode") != "1":
        return None
    context = cast(VideoCodecContext, VideoCodecContext.create(name, "r"))
    context.color_primaries, context.color_trc = usual.color_primaries, usual.color_trc
    context.colorspace, context.color_range = usual.colorspace, usual.color_range
    return context


def assembled_kind(head: bytes) -> str | None:
    """Names what is no container of FFmpeg: ``zip`` (of pictures) or ``webp``; None for all others."""
    if head.startswith(ZIP):
        return "zip"
    return "webp" if is_webp(head) else None


def _openable(media: Path | RangedFile) -> str | RangedFile | VirtualMovie:
    head = head_of(media, _SNIFFED)
    if head.startswith(ZIP):
        return PictureArchive(_file(media)).movie()
    if is_webp(head):
        return WebpAnimation(_file(media)).movie()
    if isinstance(media, Path):
        return str(media.resolve())
    media.seek(0)
    return media


def _file(media: Path | RangedFile) -> WholeReads:
    return WholeReads(LocalFile(media) if isinstance(media, Path) else media)


def _begins_like_a_video(media: Path | RangedFile) -> bool:
    head = head_of(media, _SNIFFED)
    is_avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
    return head[4:8] in _MP4_BOXES or head.startswith(_MAGIC) or is_avi
