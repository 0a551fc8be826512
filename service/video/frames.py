"""Decodes the frames of a video by their numbers, as the decoder gives them.

Loads no numpy: the gateway's child processes use it, too.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

import av
from av.container import InputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from service.errors.pipeline import PipelineError
from service.video.container import decode_frames, open_video, prepare_decoder, video_stream
from service.video.index import Keyframe
from service.video.source import Source

_PREDICTED = (PictureType.P, PictureType.B)


def numbered_frames(source: Source, start: int, stop: int) -> Generator[tuple[int, VideoFrame]]:
    """Yields the frames ``start <= number < stop`` with their numbers, each once and in order; holds one at a time.

    Raises PipelineError where a frame that the index promises does not decode, or frames change size.
    """
    wanted = start
    for entry in source.index.entry_points(start):
        with closing(_decode_from(source, entry, start, stop)) as frames:
            for number, frame in frames:
                if number != wanted:
                    break
                yield number, frame
                wanted += 1
        if wanted > start:
            break  # the entry point was right: what is missing after it is missing from every other, too
    if wanted < stop:
        seconds = float(source.index.pts[wanted] * source.index.time_base)
        raise PipelineError(
            f"Frame {wanted} at {seconds:.3f} s cannot be decoded. The video is damaged there."
        )


def _decode_from(
    source: Source, entry: Keyframe | None, start: int, stop: int
) -> Generator[tuple[int, VideoFrame]]:
    last = start - 1
    for number, frame in _numbered(source, entry):
        if number <= last:
            continue  # before the range, or a second frame of the same time
        if number >= stop:
            return
        _check_size(frame, source, number)
        last = number
        yield number, frame


def _numbered(source: Source, entry: Keyframe | None) -> Iterator[tuple[int, VideoFrame]]:
    """Yields the frames from ``entry`` on with their numbers, without those that edit lists or an excerpt leave out."""
    for count, frame in enumerate(_frames_from_keyframe(source, entry)):
        index = source.index
        number = count - index.skipped if index.sequential else index.position(frame.pts)
        if number is not None:
            yield number, frame


def _frames_from_keyframe(source: Source, entry: Keyframe | None) -> Iterator[VideoFrame]:
    """Yields the frames from ``entry`` on; none where it is only a recovery point, or where the seek missed it.

    Containers mark recovery points as keyframes, and decoders begin there with gray for what they lack.
    """
    reached = entry is None
    for frame in _frames_from(source, entry):
        if not reached and entry is not None and frame.pts is not None and frame.pts >= entry.pts:
            if frame.pts > entry.pts or frame.pict_type in _PREDICTED:
                return
            reached = True
        if reached:
            yield frame


def _frames_from(source: Source, entry: Keyframe | None) -> Iterator[VideoFrame]:
    try:
        with open_video(source.path) as container:
            stream = video_stream(container)
            prepare_decoder(stream, source.picture.width * source.picture.height)
            if entry is not None and not _seek(container, stream, entry):
                return
            yield from decode_frames(container, stream)
    except av.FFmpegError as error:
        raise PipelineError(f"The video cannot be read: {error.strerror}.") from error


def _seek(container: InputContainer, stream: VideoStream, entry: Keyframe) -> bool:
    """Returns whether the seek worked. Some files allow none, and are then decoded from the start."""
    try:
        container.seek(entry.dts, stream=stream)
    except av.FFmpegError:
        return False
    return True


def _check_size(frame: VideoFrame, source: Source, number: int) -> None:
    picture = source.picture
    if (frame.width, frame.height) != (picture.width, picture.height):
        raise PipelineError(
            f"Frame {number} is {frame.width}x{frame.height}, not {picture.width}x{picture.height} as before. "
            "A video that changes its size cannot be restored."
        )
