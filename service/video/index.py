"""Which frames a video has, when each appears, and which packet holds it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from fractions import Fraction

from service.errors.video import ExcerptEmpty
from service.types import Excerpt
from service.video.timeline import ClockBreak


class Identity(Enum):
    """What a packet's frame is known by."""

    TIME = "time"
    """Its time, which is unique and the same however the file is read."""
    PLACE = "place"
    """The byte where the packet begins: where times are not unique, or are right only when read from the start."""
    ORDINAL = "ordinal"
    """The packet's place among those of its stream, so that reading always begins at the start of the file."""
    OUTPUT = "output"
    """The order in which the decoder gives the frames, where packets do not tell in which order they are shown."""

    @property
    def from_start(self) -> bool:
        """Whether frames are known only to who reads the file from its start."""
        return self in (Identity.ORDINAL, Identity.OUTPUT)


@dataclass(frozen=True)
class Keyframe:
    """A frame where decoding can begin; times are in ticks of the index's time base."""

    pts: int
    """On the continuous clock."""
    dts: int
    """On the file's own clock, which seeks go by."""
    place: int = -1
    """The byte of the file where its packet begins; -1 where that is unknown."""


@dataclass(frozen=True)
class FrameIndex:
    """Every frame that a player shows, in presentation order. A frame's number is its position in ``pts``."""

    time_base: Fraction
    """Seconds per tick."""
    pts: tuple[int, ...]
    """When each frame appears on the continuous clock, in ticks; strictly increasing."""
    keyframes: tuple[Keyframe, ...]
    """Sorted by pts."""
    last_duration: int
    """Ticks for which the last frame is shown."""
    origin: int = 0
    """The tick that is zero in a result: 0, unless the first time is negative, late, or the clock is arbitrary."""
    identity: Identity = Identity.TIME
    moments: Mapping[int, int] = field(default_factory=dict)
    """The tick of each packet by its place or ordinal; empty where a packet is known by its time."""
    broken: frozenset[int] = frozenset()
    """Ticks of the frames whose packets cannot be decoded, as their first bytes tell; others may turn out so later."""
    lost: Fraction = Fraction(0)
    """Seconds that the file announces after its last packet, and does not hold: it is truncated."""
    damaged_sound: tuple[tuple[int, int], ...] = ()
    """Streams of sound by their index, and how many packets of each are damaged so that no file can hold them."""
    sizes: tuple[tuple[int, int, int], ...] = ()
    """Tick of each keyframe from which on frames have another size, as far as keyframes tell; width and height."""
    shapes: tuple[tuple[int, Fraction], ...] = ()
    """Tick of each keyframe from which on pixels have another shape; their width to their height."""
    captions: tuple[int, int] | None = None
    """Ticks of the first and of the last frame whose packet carries captions, as far as packets tell."""
    breaks: tuple[ClockBreak, ...] = ()
    """Where the file's own clock does not go on, by the continuous clock."""
    late: bool = False
    """Whether the file's clock begins so late that a result begins at zero instead."""
    duplicates: int = 0
    """Packets left out because another frame has their timestamp."""
    skipped: int = 0
    """Frames before the first that an excerpt leaves out; the zero of its result is the first frame's time."""
    end: int | None = None
    """The tick at which an excerpt ends; None where it goes on to the end of the file."""

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return len(self.pts)

    @property
    def duration(self) -> Fraction:
        """Seconds from the first frame's appearance to the last one's end."""
        return (self.pts[-1] - self.pts[0] + self.last_duration) * self.time_base

    @property
    def rate(self) -> Fraction:
        """Average frames per second, with a denominator that every encoder takes."""
        return Fraction(self.frames, max(self.duration, Fraction(1, 1000))).limit_denominator(100_000)

    @property
    def variable_rate(self) -> bool:
        """Whether frames last differently long, beyond what rounding to ticks or milliseconds explains."""
        steps = [after - before for before, after in zip(self.pts, self.pts[1:], strict=False)]
        if not steps:
            return False
        spread = max(steps) - min(steps)
        return spread > 1 and spread * self.time_base > Fraction(2, 1000)

    @property
    def captioned(self) -> bool:
        """Whether the packets carry captions."""
        return (
            self.captions is not None and self.captions[0] <= self.pts[-1] and self.captions[1] >= self.pts[0]
        )

    def seconds(self, frame: int) -> float:
        """Returns when a frame appears by the clock of the result."""
        return float((self.pts[frame] - self.origin) * self.time_base)

    def position(self, pts: int | None) -> int | None:
        """Returns the number of the frame that appears at ``pts``, or None where there is none."""
        if pts is None:
            return None
        at = self.first_from(pts)
        return at if at < len(self.pts) and self.pts[at] == pts else None

    def first_from(self, pts: int) -> int:
        """Returns the number of the first frame that appears at ``pts`` or later; ``frames`` where there is none."""
        return bisect_left(self.pts, pts)

    def moment(self, time: int | None, place: int | None, ordinal: int) -> int | None:
        """Returns the tick at which a packet's frame appears, or None for one that is not shown.

        ``time``: on the file's own clock; ``ordinal``: among the packets of the stream, where all were read.
        """
        if self.identity is Identity.TIME:
            return time
        key = ordinal if self.identity.from_start else place
        return None if key is None else self.moments.get(key)

    def step(self, frame: int) -> int:
        """Returns the ticks for which a frame is shown."""
        return self.pts[frame + 1] - self.pts[frame] if frame + 1 < self.frames else self.last_duration

    def entry_points(self, frame: int) -> Iterator[Keyframe | None]:
        """Yields where to begin decoding for ``frame``: the best place first, then safer ones; None is the start.

        The best place fails where seeking is inexact, or where a keyframe is not quite one (recovery points).
        """
        if self.identity.from_start:
            yield None
            return
        last = bisect_right(self.keyframes, self.pts[frame], key=lambda key: key.pts) - 1
        for back in (0, 1, 4):
            if last - back > 0:
                yield self.keyframes[last - back]
        yield None

    def excerpt(self, part: Excerpt) -> FrameIndex:
        """Returns the index of the frames that appear in ``part``. Raises ExcerptEmpty where there are none."""
        first = self._first_from(part.start_s)
        stop = self.frames if part.end_s is None else self._first_from(part.end_s)
        if first >= stop:
            raise ExcerptEmpty(
                f"No frame appears from {part.start_s:g} s to {part.end_s or float(self.duration):g} s; "
                f"the video lasts {float(self.duration):.3f} s."
            )
        return replace(
            self,
            pts=self.pts[first:stop],
            last_duration=self.step(stop - 1),
            origin=self.pts[first] if first else self.origin,
            skipped=first,
            end=self.pts[stop] if stop < self.frames else None,
        )

    def _first_from(self, seconds: float) -> int:
        """Returns the first frame that appears at ``seconds`` of the result's clock or later."""
        moment = Fraction(seconds).limit_denominator(1_000_000)
        return bisect_left(self.pts, moment, key=lambda pts: (pts - self.origin) * self.time_base)

    def without(self, missing: frozenset[int]) -> FrameIndex:
        """Returns this index without the frames that appear at the ticks ``missing``."""
        return replace(self, pts=tuple(pts for pts in self.pts if pts not in missing))
