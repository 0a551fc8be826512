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
from service.video.container import decoder_of, open_video, video_stream
from service.video.index import FrameIndex, Identity, Keyframe
from service.video.packets.decoding import VideoPacket, decode_frames, tagged
from service.video.packets.gaps import NumberedFrame, without_gaps
from service.video.source import Source

_PREDICTED = (PictureType.P, PictureType.B)


def numbered_frames(source: Source, start: int, stop: int) -> Generator[NumberedFrame]:
    """Yields the frames ``start <= number < stop``, each once and in order.

    A frame that does not decode has the picture before it, or the one after it where none is before.
    Raises PipelineError where none of the frames decodes, or frames change size.
    """
    for entry in source.index.entry_points(start):
        with closing(_pictures_from(source, entry)) as pictures:
            done = False
            for frame in without_gaps(pictures, source.index, start, stop):
                yield _checked(frame, source)
                done = True
            if done:
                return  # the entry was right
    raise _undecodable(source.index, start)


def all_frames(source: Source) -> Generator[NumberedFrame]:
    """Yields all frames in order, whatever their size. Raises PipelineError where the file cannot be read."""
    with closing(_decoded_from(source, None)) as pictures:
        yield from without_gaps(pictures, source.index, 0, source.index.frames)


def _pictures_from(source: Source, entry: Keyframe | None) -> Generator[VideoFrame]:
    """Yields what the decoder gives from ``entry`` on, with the ticks of the index as times.

    Yields nothing where the entry is only a recovery point, does not decode as a whole, or was missed by the seek.
    Containers mark recovery points as keyframes, and decoders begin there with gray for what they lack.
    """
    with closing(_decoded_from(source, entry)) as pictures:
        if entry is not None:
            first = _first_at(pictures, entry.pts)
            if first is None or first.pict_type in _PREDICTED or first.is_corrupt:
                return
            yield first
        yield from pictures


def _first_at(pictures: Iterator[VideoFrame], tick: int) -> VideoFrame | None:
    """Returns the picture that appears at ``tick``, or None where the pictures go on after it without it."""
    for picture in pictures:
        if picture.pts is not None and picture.pts >= tick:
            return picture if picture.pts == tick else None
    return None


def _decoded_from(source: Source, entry: Keyframe | None) -> Generator[VideoFrame]:
    try:
        with open_video(source.path) as container:
            stream = video_stream(container)
            decoder = decoder_of(stream, _most_pixels(source))
            if entry is not None and not _seek(container, stream, entry, source.index):
                return
            packets = tagged(container, stream, source.index)
            wanted = packets if entry is None else _from_entry(packets, entry, source.index)
            yield from decode_frames(wanted, source.index, decoder)
    except av.FFmpegError as error:
        raise PipelineError(f"The video cannot be read: {error.strerror}.") from error


def _most_pixels(source: Source) -> int:
    """Returns the pixels of the largest frame that is expected, also before an excerpt."""
    sizes = [width * height for _, width, height in source.index.sizes]
    return max(source.picture.width * source.picture.height, *sizes, 0)


def _seek(container: InputContainer, stream: VideoStream, entry: Keyframe, index: FrameIndex) -> bool:
    """Returns whether the seek worked. Some files allow none, and are then decoded from the start."""
    try:
        if index.identity is Identity.PLACE and container.format.name == "mpegts":
            container.seek(entry.place, unsupported_byte_offset=True)
        else:
            container.seek(entry.dts, stream=stream)
    except av.FFmpegError:
        return False
    return True


def _from_entry(packets: Iterator[VideoPacket], entry: Keyframe, index: FrameIndex) -> Iterator[VideoPacket]:
    """Leaves out what comes before ``entry`` where packets are known by their place: all, if it is missing."""
    if index.identity is not Identity.PLACE:
        yield from packets
        return
    for packet in packets:
        if packet.size and packet.pos is not None and packet.pos >= entry.place:
            if packet.pos == entry.place:
                yield packet
                yield from packets
            return


def _checked(frame: NumberedFrame, source: Source) -> NumberedFrame:
    picture, format_ = frame.picture, source.picture
    if (picture.width, picture.height) != (format_.width, format_.height):
        raise PipelineError(
            f"Frame {frame.number} is {picture.width}x{picture.height}, not {format_.width}x{format_.height} as "
            "before. A video that changes its size cannot be restored."
        )
    return frame


def _undecodable(index: FrameIndex, number: int) -> PipelineError:
    return PipelineError(
        f"Frame {number} at {index.seconds(number):.3f} s cannot be decoded, nor can any after it. "
        "The video is damaged there."
    )
