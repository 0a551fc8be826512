"""Decodes packets so that every frame is known by the packet that holds it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from typing import TypeAlias

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from service.video.container import packets_of
from service.video.index import FrameIndex, Identity

MOST_REORDERED = 16
"""Frames that a decoder holds back at most, to give them in order; AVI has a tick per frame."""

VideoPacket: TypeAlias = "Packet[VideoStream]"


def tagged(container: InputContainer, stream: VideoStream, index: FrameIndex) -> Iterator[VideoPacket]:
    """Yields the packets of ``stream`` from the container's position on.

    Each has the tick of ``index`` at which its frame appears as its time, or none where the frame is not shown.
    Decoders hand that on to the frame, whatever they delay, reorder or fail to decode.
    """
    ordinal = 0
    for packet in packets_of(container, stream):
        if packet.size:
            packet.pts = index.moment(packet.pts, packet.pos, ordinal)
            packet.dts = None
            ordinal += 1
        yield packet


def decode_frames(
    packets: Iterable[VideoPacket], index: FrameIndex, decoder: VideoCodecContext
) -> Iterator[VideoFrame]:
    """Decodes ``tagged`` packets. One that does not decode yields nothing: the caller notices which frame is absent."""
    waiting: list[int] = []
    resized = {tick for tick, _, _ in index.sizes}
    for packet in packets:
        if packet.pts in resized:  # a decoder that begins anew drops what it holds back
            yield from decoder.decode(None)
            decoder.flush_buffers()
        tick, pictures = packet.pts, _decoded(packet, decoder)
        if index.identity is not Identity.OUTPUT:
            yield from pictures or ()
            continue
        if tick is not None and pictures is not None:
            heappush(waiting, tick)
        yield from _in_order(pictures or (), waiting)


def _decoded(packet: VideoPacket, decoder: VideoCodecContext) -> list[VideoFrame] | None:
    """Returns the pictures that the decoder gives after ``packet``; None where the packet does not decode."""
    try:
        return decoder.decode(packet)
    except av.error.MemoryError:
        raise
    except av.FFmpegError:  # decoders have many names for data that they do not understand
        return None


def _in_order(pictures: Iterable[VideoFrame], waiting: list[int]) -> Iterator[VideoFrame]:
    """Gives each picture the earliest tick of those packets that have not given one yet."""
    for picture in pictures:
        if waiting:
            while len(waiting) > 1 and _given_up(waiting[0], picture):
                heappop(waiting)
            picture.pts = heappop(waiting)
            yield picture


def _given_up(tick: int, picture: VideoFrame) -> bool:
    """Returns whether a packet is so far behind that no picture of it can come any more."""
    return picture.pts is not None and picture.pts - tick > MOST_REORDERED
