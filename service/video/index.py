"""Finds out which frames a video has and when each appears, from its packets alone: nothing is decoded."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from service.errors.video import DamagedVideo, ExcerptEmpty, VideoTooLong
from service.text import plural
from service.types import Excerpt

_SEQUENTIAL = ("avi", "mpeg")
"""AVI stores no times at all, MPEG program streams only one for several frames. The times that FFmpeg computes for the
others are right when it reads from the start of the file, not after a seek."""

_ARBITRARY_CLOCK = ("mpegts", "mpeg")
"""Broadcast formats whose clock starts anywhere, up to 26 hours in; a result starts at zero instead."""


@dataclass(frozen=True)
class Keyframe:
    """A frame where decoding can begin; times are in ticks of the index's time base."""

    pts: int
    dts: int


@dataclass(frozen=True)
class FrameIndex:
    """Every frame that a player shows, in presentation order. A frame's number is its position in ``pts``."""

    time_base: Fraction
    """Seconds per tick."""
    pts: tuple[int, ...]
    """When each frame appears, in ticks; strictly increasing."""
    keyframes: tuple[Keyframe, ...]
    """Sorted by pts."""
    last_duration: int
    """Ticks for which the last frame is shown."""
    origin: int = 0
    """The tick that is zero in a result: 0, unless the first time is negative or the clock is arbitrary."""
    sequential: bool = False
    """Whether frames have no reliable times of their own, so that they are counted from the start."""
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

    def position(self, pts: int | None) -> int | None:
        """Returns the number of the frame that appears at ``pts``, or None where there is none."""
        if pts is None:
            return None
        at = bisect_left(self.pts, pts)
        return at if at < len(self.pts) and self.pts[at] == pts else None

    def step(self, frame: int) -> int:
        """Returns the ticks for which a frame is shown."""
        return self.pts[frame + 1] - self.pts[frame] if frame + 1 < self.frames else self.last_duration

    def entry_points(self, frame: int) -> Iterator[Keyframe | None]:
        """Yields where to begin decoding for ``frame``: the best place first, then safer ones; None is the start.

        The best place fails where seeking is inexact, or where a keyframe is not quite one (recovery points).
        """
        if self.sequential:
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


@dataclass
class _PacketTally:
    """What the packets that were read so far say about the frames."""

    pts: set[int] = field(default_factory=set)
    keyframes: list[Keyframe] = field(default_factory=list)
    duplicates: int = 0
    last: int | None = None
    last_duration: int = 0


def read_index(container: InputContainer, stream: VideoStream, max_frames: int | None = None) -> FrameIndex:
    """Indexes ``stream`` by reading all of its packets, and leaves the container at its end.

    Raises DamagedVideo where there are no usable frames, VideoTooLong above ``max_frames``.
    """
    _check_complete(container, stream)
    tally = _PacketTally()
    try:
        for packet in container.demux(stream):
            if _is_shown(packet):
                _note(packet, tally)
            if max_frames is not None and len(tally.pts) > max_frames:
                raise VideoTooLong(f"The video has more frames than the {max_frames} that are allowed.")
    except av.FFmpegError as error:
        raise DamagedVideo(f"The video stream cannot be read: {error.strerror}.") from error
    return _finish(container, stream, tally)


def _check_complete(container: InputContainer, stream: VideoStream) -> None:
    """Raises DamagedVideo for a truncated MP4 file: one whose list of frames points past its end."""
    if not container.format.name.startswith("mov"):
        return
    entries = stream.index_entries
    lost = sum(1 for entry in entries if entry.pos + entry.size > container.size)
    if lost:
        raise DamagedVideo(
            f"The file is truncated: it lacks {lost} of {plural(len(entries), 'frame')}. Send all of it."
        )


def _is_shown(packet: Packet[VideoStream]) -> bool:
    """Returns whether a player shows this packet's frame: edit lists hide some, and some serve only as references."""
    if packet.size == 0 or packet.is_discard:
        return False
    if packet.stream.codec_context is not None and packet.stream.codec_context.name == "vp8":
        return bool(bytes(packet)[0] & 0x10)  # RFC 6386, section 9.1: the show_frame bit
    return True


def _note(packet: Packet[VideoStream], tally: _PacketTally) -> None:
    if packet.pts is None:
        raise DamagedVideo("The video stream holds frames without a timestamp. Remux it and try again.")
    if packet.pts in tally.pts:
        tally.duplicates += 1
        return
    tally.pts.add(packet.pts)
    if packet.is_keyframe:
        tally.keyframes.append(Keyframe(packet.pts, packet.pts if packet.dts is None else packet.dts))
    if tally.last is None or packet.pts > tally.last:
        tally.last, tally.last_duration = packet.pts, packet.duration or 0


def _finish(container: InputContainer, stream: VideoStream, tally: _PacketTally) -> FrameIndex:
    if not tally.pts or stream.time_base is None:
        raise DamagedVideo("The video stream holds no frames. The file is probably truncated.")
    pts = tuple(sorted(tally.pts))
    typical = (
        (pts[-1] - pts[0]) // (len(pts) - 1) if len(pts) > 1 else round(Fraction(1, 25) / stream.time_base)
    )
    return FrameIndex(
        time_base=stream.time_base,
        pts=pts,
        keyframes=tuple(sorted(tally.keyframes, key=lambda key: key.pts)),
        last_duration=tally.last_duration or max(typical, 1),
        origin=_origin(container, stream.time_base, pts[0]),
        sequential=container.format.name in _SEQUENTIAL,
        duplicates=tally.duplicates,
    )


def _origin(container: InputContainer, time_base: Fraction, first: int) -> int:
    if container.format.name in _ARBITRARY_CLOCK:
        start = container.start_time
        return first if start is None else min(first, int(Fraction(start, av.time_base) / time_base))
    return min(first, 0)
