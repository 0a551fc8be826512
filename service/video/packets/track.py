"""What the packets of a file say about its streams, as far as frames and clocks need it; nothing is decoded."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from service.video.container import packets_of

NO_TIME = -(1 << 63)
"""Stands for the time of a packet that has none."""

KEY = 1
"""Decoding can begin with this packet."""
HIDDEN = 2
"""The packet's frame is not shown: edit lists hide some, some serve only as references, one may be cut off."""

_MOST_FRAMING = 32
"""Bytes of a container's own between the place of a packet and its data."""


def _integers() -> array[int]:
    return array("q")


@dataclass
class Track:
    """One stream. All series have one value per packet with content, in the order of the file.

    A packet's place in that order is its *ordinal*.
    """

    kind: str
    """``video``, ``audio``, ``subtitle``, ``data`` or ``attachment``."""
    time_base: Fraction
    """Seconds per tick."""
    order: array[int] = field(default_factory=_integers)
    """The packet's place among the packets of all streams."""
    pts: array[int] = field(default_factory=_integers)
    """Ticks, or NO_TIME. Sound and the like may have only a decoding time, which then stands here."""
    dts: array[int] = field(default_factory=_integers)
    """Ticks, or NO_TIME."""
    duration: array[int] = field(default_factory=_integers)
    """Ticks; 0 where the container does not tell."""
    place: array[int] = field(default_factory=_integers)
    """The byte of the file where the packet begins; -1 where that is unknown."""
    flags: bytearray = field(default_factory=bytearray)
    """KEY and HIDDEN."""

    def add(self, packet: Packet[Any], order: int, cut_off: bool) -> None:
        """Notes what a packet says. ``cut_off``: whether the file ends within it."""
        moment = packet.pts
        if moment is None and self.kind != "video":
            moment = packet.dts
        self.order.append(order)
        self.pts.append(NO_TIME if moment is None else moment)
        self.dts.append(NO_TIME if packet.dts is None else packet.dts)
        self.duration.append(packet.duration or 0)
        self.place.append(-1 if packet.pos is None else packet.pos)
        self.flags.append(KEY * packet.is_keyframe + HIDDEN * (cut_off or not _is_shown(packet)))


def read_tracks(
    container: InputContainer, on_packet: Callable[[Packet[Any], Track], None]
) -> dict[int, Track]:
    """Reads all packets and returns the streams by their index; ``on_packet`` sees each packet after it was noted.

    Raises av.FFmpegError, and what ``on_packet`` raises.
    """
    tracks = {stream.index: _empty(stream) for stream in container.streams}
    for order, packet in enumerate(packets_of(container)):
        if packet.size:
            track = tracks.get(packet.stream.index)
            if track is None:  # MPEG program streams announce no streams: some are found on the way
                track = tracks[packet.stream.index] = _empty(packet.stream)
            track.add(packet, order, _is_cut_off(packet, container.size))
            on_packet(packet, track)
    return tracks


def _empty(stream: Stream) -> Track:
    return Track(stream.type, stream.time_base or Fraction(1, 1000))


def _is_cut_off(packet: Packet[Any], size: int) -> bool:
    return packet.is_corrupt and packet.pos is not None and packet.pos + packet.size + _MOST_FRAMING >= size


def _is_shown(packet: Packet[Any]) -> bool:
    if packet.is_discard:
        return False
    context = packet.stream.codec_context
    if context is not None and context.name == "vp8":
        return bool(bytes(packet)[0] & 0x10)  # RFC 6386, section 9.1: the show_frame bit
    return True
