"""Brings the times of all streams of a file to one clock that never steps back and never leaps.

A recording may hold several clocks, one after the other: a broadcast whose clock was set anew, parts that were put
together without changing their times. Each part then begins where everything of the one before has ended; within a
part, sound and picture keep the offset that the file gives them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from av.packet import Packet


@dataclass(frozen=True)
class ClockBreak:
    """A place where the clock of a file steps back or leaps ahead."""

    at: Fraction
    """Seconds on the continuous clock."""
    leap: Fraction
    """Seconds by which the file's clock goes on too far there; negative where it steps back."""
    stream: int | None = None
    """The index of the only stream whose clock breaks; None where all break together."""
    with_sound: bool = False
    """Whether there is sound among those that break together."""


@dataclass(frozen=True)
class StreamClock:
    """The shift of one stream's packets; each value holds from the packet with its ordinal on."""

    ordinals: tuple[int, ...] = (0,)
    shifts: tuple[int, ...] = (0,)
    """Ticks to subtract."""

    def shift(self, ordinal: int) -> int:
        """Returns the ticks to subtract from the times of the stream's packet number ``ordinal``."""
        return self.shifts[bisect_right(self.ordinals, ordinal) - 1]


_AS_IT_IS = StreamClock()


@dataclass(frozen=True)
class Timeline:
    """Which part of a file each packet belongs to, and by how much each part is moved.

    For a file with one clock, nothing is moved.
    """

    clocks: Mapping[int, StreamClock] = field(default_factory=dict)
    """By stream index; the packets of the others stay as they are."""
    breaks: tuple[ClockBreak, ...] = ()

    def clock(self, stream: int) -> StreamClock:
        """Returns the shifts of the stream with this index."""
        return self.clocks.get(stream, _AS_IT_IS)

    def reader(self) -> TimelineReader:
        """Begins to read the file from its first packet."""
        return TimelineReader(self)


class TimelineReader:
    """Moves packets to the continuous clock while they are read, from the first of the file on.

    It has to see every packet of a stream, in the order of the file, because a packet is known by its ordinal.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._ordinals: dict[int, int] = {}
        self._last: dict[int, int] = {}

    def place(self, packet: Packet[Any]) -> None:
        """Changes ``pts`` and ``dts`` of a packet to the continuous clock, in ticks of the packet's own unit.

        A packet of sound that would come before the one that it follows is moved behind it. Times may be equal: packets
        of TrueHD are shorter than the milliseconds of Matroska.
        """
        stream = packet.stream.index
        if not packet.size:
            return
        if stream in self._timeline.clocks:
            ordinal = self._ordinals[stream] = self._ordinals.get(stream, -1) + 1
            shift = self._timeline.clock(stream).shift(ordinal)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
        if packet.stream.type == "audio":
            self._keep_order(packet)

    def _keep_order(self, packet: Packet[Any]) -> None:
        moment = packet.pts if packet.dts is None else packet.dts
        if moment is None:
            return
        late = self._last.get(packet.stream.index, moment) - moment + 1
        if late > 1:
            packet.pts = moment + late if packet.pts is None else packet.pts + late
            packet.dts = moment + late
            moment += late
        self._last[packet.stream.index] = moment
