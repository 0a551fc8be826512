"""The child process of the probe.

``python -m service.video.sandbox.probe_child LIMITS`` reads a request and prints the description of the video or a
refusal. All of them are JSON. The request comes over standard input, because it may hold a signed address, which is a
secret that the arguments of a process would show to everybody.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from service.encoding.choice import ImpossibleEncodingError, resolve
from service.errors.storage import StorageUnavailable
from service.errors.video import DamagedVideo, FrameSizeRejected, VideoError, VideoTooLong
from service.text import plural
from service.types import VideoInfo
from service.video.container import (
    MOST_VIDEO_STREAMS,
    assembled_kind,
    head_of,
    moving_streams,
    open_video,
    video_stream,
)
from service.video.findings.foresee import foresee
from service.video.frame_limit import limit_frames
from service.video.index import FrameIndex
from service.video.packets.reading import read_index
from service.video.packets.truncation import HEAD
from service.video.ranged import RangedFile
from service.video.sandbox.child import restrict
from service.video.sandbox.probe_protocol import (
    ProbeLimits,
    ProbeRequest,
    info_to_json,
    limits_from_json,
    request_from_json,
)
from service.video.sandbox.refusals import refusal_to_json, unforeseen
from service.video.source import PictureFormat, examine, part_of

_STREAMS_AS_LARGE = 4
"""Frames of all videos of a file may have so many times the pixels of the largest frame that is restored."""
_DOCTYPE_WEBM = b"\x42\x82\x84webm"
"""The element of Matroska's header by which WebM differs."""


def main() -> None:
    """Answers the request on standard input."""
    limits = limits_from_json(sys.argv[1])
    request = request_from_json(sys.stdin.read())
    restrict(limits.memory, limits.timeout_s)
    limit_frames(limits.max_pixels)
    try:
        answer = info_to_json(inspect(request, limits))
    except (VideoError, StorageUnavailable) as error:
        answer = refusal_to_json(error)
    except MemoryError:
        answer = refusal_to_json(DamagedVideo("The file needs more memory to decode than is allowed."))
    except av.FFmpegError as error:
        answer = refusal_to_json(DamagedVideo(f"The video cannot be read: {error.strerror}."))
    except Exception as error:  # noqa: BLE001  # what a file from a stranger can raise is not bounded
        answer = refusal_to_json(unforeseen(error))
    sys.stdout.write(answer)


def inspect(request: ProbeRequest, limits: ProbeLimits) -> VideoInfo:
    """Describes the container, then its packets, then its first frame; refuses as early as possible.

    Raises VideoError's kinds, MemoryError, StorageUnavailable.
    """
    media = request.media if isinstance(request.media, Path) else RangedFile(request.media)
    head = head_of(media, HEAD)
    with open_video(media) as container:
        _check_streams(moving_streams(container), limits)
        stream = video_stream(container)
        _check_size(stream.codec_context.width, stream.codec_context.height, limits)
        index, _ = read_index(container, stream, head, limits.max_frames)
        name = assembled_kind(head) or _container(container, head)
        codec = stream.codec_context.codec.canonical_name
        audio = tuple(_codec(stream) for stream in container.streams.audio)
        subtitles = tuple(_codec(stream) for stream in container.streams.subtitles)
    index, picture = examine(media, index, threads=1)
    _check_size(picture.width, picture.height, limits)
    _check_parts(index, limits)
    if request.excerpt:
        index, picture = part_of(index, picture, request.excerpt)
    if request.asked.deinterlace == "keep" and picture.interlaced:
        _check_size(picture.width, picture.height // 2, limits)  # of a field
    _check_one_size(index, picture)
    _check_duration(index, limits)
    info = VideoInfo(
        container=name,
        codec=codec,
        width=picture.width,
        height=picture.height,
        frames=index.frames,
        duration_s=float(index.duration),
        fps=float(index.rate),
        variable_frame_rate=index.variable_rate,
        rotation=picture.rotation,
        bit_depth=picture.bit_depth,
        color=picture.color,
        audio=audio,
        subtitles=subtitles,
        excerpt=request.excerpt,
        chroma=picture.chroma,
        has_alpha=picture.has_alpha,
    )
    try:
        options = resolve(request.asked, info)
    except ImpossibleEncodingError:
        return info  # the service refuses this with the reason
    return replace(info, findings=foresee(media, index, picture, options))


def _check_size(width: int, height: int, limits: ProbeLimits) -> None:
    if width * height > limits.max_pixels:
        raise FrameSizeRejected(
            f"Frames of {width}x{height} are too large; they may have {plural(limits.max_pixels, 'pixel')}."
        )
    if min(width, height) < limits.min_side:
        raise FrameSizeRejected(
            f"Frames of {width}x{height} are too small; each side needs {plural(limits.min_side, 'pixel')}."
        )


def _check_parts(index: FrameIndex, limits: ProbeLimits) -> None:
    """Raises FrameSizeRejected: frames before a part that is restored are decoded on the way to it."""
    for _, width, height in index.sizes:
        if width * height > limits.max_pixels:
            most = plural(limits.max_pixels, "pixel")
            raise FrameSizeRejected(
                f"The frames change to {width}x{height}, which is too large; they may have {most}."
            )


def _check_streams(streams: Sequence[VideoStream], limits: ProbeLimits) -> None:
    """Raises FrameSizeRejected: whoever opens the file decodes the beginning of all its videos."""
    sizes = (one.codec_context.width * one.codec_context.height for one in streams if one.codec_context)
    if len(streams) > MOST_VIDEO_STREAMS or (
        len(streams) > 1 and sum(sizes) > _STREAMS_AS_LARGE * limits.max_pixels
    ):
        raise FrameSizeRejected(
            f"The file holds {plural(len(streams), 'video')} beside each other, which are too many or too large "
            "together. Send the one that is to be restored."
        )


def _check_one_size(index: FrameIndex, picture: PictureFormat) -> None:
    for tick, width, height in index.sizes:
        if index.pts[0] < tick <= index.pts[-1]:
            frame = index.first_from(tick)
            raise FrameSizeRejected(
                f"The frames change from {picture.width}x{picture.height} to {width}x{height} at frame {frame}, "
                f"{index.seconds(frame):.3f} s. Restore the parts before and after as excerpts."
            )


def _check_duration(index: FrameIndex, limits: ProbeLimits) -> None:
    if float(index.duration) > limits.max_duration_s:
        raise VideoTooLong(
            f"The video lasts {float(index.duration):.1f} s; {limits.max_duration_s:g} s are allowed."
        )


def _codec(stream: Stream) -> str:
    return stream.codec_context.codec.canonical_name if stream.codec_context else "unknown"


def _container(container: InputContainer, head: bytes) -> str:
    """Returns one name for a container; FFmpeg names a demuxer after all that it reads, such as mov,mp4,m4a,3gp."""
    name = container.format.name
    if name.startswith("mov"):
        return "mov" if container.metadata.get("major_brand", "").strip() == "qt" else "mp4"
    if name.startswith("matroska") and _DOCTYPE_WEBM in head:
        return "webm"
    return name.split(",")[0]


if __name__ == "__main__":
    main()
