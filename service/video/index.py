"""Which frames a video has and when each is shown, from its packets alone: nothing is decoded."""

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
from service.types import Excerpt

_SEQUENTIAL = ("avi", "mpeg")
"""AVI stores no times at all, MPEG program streams only one for several frames; what FFmpeg makes up for the
others is right from the start of the file, not after a seek."""

_ARBITRARY_CLOCK = ("mpegts", "mpeg")
"""Broadcast formats start their clock anywhere, up to 26 hours in; a result starts at zero instead."""


@dataclass(frozen=True)
class Keyframe:
    """A place where decoding can begin, in ticks of the index's time base."""

    pts: int
    dts: int


@dataclass(frozen=True)
class FrameIndex:
    """Every frame that a player shows, in presentation order; position in ``pts`` is the frame's number."""

    time_base: Fraction
    """Seconds per tick."""
    pts: tuple[int, ...]
    """Strictly increasing, in ticks."""
    keyframes: tuple[Keyframe, ...]
    """By pts."""
    last_duration: int
    """How long the last frame is shown, in ticks."""
    origin: int = 0
    """The tick that is zero in a result: 0, unless the first time is negative or the clock arbitrary."""
    sequential: bool = False
    """Frames have no reliable times of their own: decode from the start and count them."""
    duplicates: int = 0
    """Packets left out because another frame has their timestamp."""
    skipped: int = 0
    """Frames before the first, which an excerpt leaves out; its zero is then the first frame's time."""
    end: int | None = None
    """The tick at which an excerpt ends; None where it goes on to the end of the file."""

    @property
    def frames(self) -> int:
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
        """The frame shown at ``pts``, or None where there is none."""
        if pts is None:
            return None
        at = bisect_left(self.pts, pts)
        return at if at < len(self.pts) and self.pts[at] == pts else None

    def step(self, frame: int) -> int:
        """How long a frame is shown, in ticks."""
        return self.pts[frame + 1] - self.pts[frame] if frame + 1 < self.frames else self.last_duration

    def entry_points(self, frame: int) -> Iterator[Keyframe | None]:
        """Where to begin decoding for ``frame``: the best place first, then safer; None is the file's start.

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
        """This index of the frames that appear in ``part`` alone. Raises ExcerptEmpty where there are none."""
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
        """The first frame that appears at ``seconds`` of the result's clock or later."""
        moment = Fraction(seconds).limit_denominator(1_000_000)
        return bisect_left(self.pts, moment, key=lambda pts: (pts - self.origin) * self.time_base)

    def without(self, missing: frozenset[int]) -> FrameIndex:
        """This index less the frames shown at the timestamps ``missing``."""
        return replace(self, pts=tuple(pts for pts in self.pts if pts not in missing))


@dataclass
class _Seen:
    pts: set[int] = field(default_factory=set)
    keyframes: list[Keyframe] = field(default_factory=list)
    sequential: bool = False
    """Frames have no reliable times of their own: decode from the start and count them."""
    duplicates: int = 0
    last: int | None = None
    last_duration: int = 0


def read_index(container: InputContainer, stream: VideoStream, max_frames: int | None = None) -> FrameIndex:
    """Read every packet of ``stream``. Leaves the container at its end.

    Raises DamagedVideo without usable frames, VideoTooLong above ``max_frames``.
    """
    _check_complete(container, stream)
    seen = _Seen()
    try:
        for packet in container.demux(stream):
            if _is_shown(packet):
                _note(packet, seen)
            if max_frames is not None and len(seen.pts) > max_frames:
                raise VideoTooLong(f"The video has more frames than the {max_frames} that are allowed.")
    except av.FFmpegError as error:
        raise DamagedVideo(f"The video stream cannot be read: {error.strerror}.") from error
    return _finish(container, stream, seen)


def _check_complete(container: InputContainer, stream: VideoStream) -> None:
    """MP4 lists in front where each frame lies; a list that points past the end means a truncated file."""
    if not container.format.name.startswith("mov"):
        return
    entries = stream.index_entries
    lost = sum(1 for entry in entries if entry.pos + entry.size > container.size)
    if lost:
        raise DamagedVideo(
            f"The file is truncated: {lost} of {len(entries)} frames are missing. Send all of it."
        )


def _is_shown(packet: Packet[VideoStream]) -> bool:
    """Whether a player shows this packet's frame; edit lists and reference-only frames hide some."""
    if packet.size == 0 or packet.is_discard:
        return False
    if packet.stream.codec_context is not None and packet.stream.codec_context.name == "vp8":
        return bool(bytes(packet)[0] & 0x10)  # RFC 6386, section 9.1: the show_frame bit
    return True


def _note(packet: Packet[VideoStream], seen: _Seen) -> None:
    if packet.pts is None:
        raise DamagedVideo("The video stream holds frames without a timestamp; remux it and try again.")
    if packet.pts in seen.pts:
        seen.duplicates += 1
        return
    seen.pts.add(packet.pts)
    if packet.is_keyframe:
        seen.keyframes.append(Keyframe(packet.pts, packet.pts if packet.dts is None else packet.dts))
    if seen.last is None or packet.pts > seen.last:
        seen.last, seen.last_duration = packet.pts, packet.duration or 0


def _finish(container: InputContainer, stream: VideoStream, seen: _Seen) -> FrameIndex:
    if not seen.pts or stream.time_base is None:
        raise DamagedVideo("The video stream holds no frames; the file is probably truncated.")
    pts = tuple(sorted(seen.pts))
    typical = (
        (pts[-1] - pts[0]) // (len(pts) - 1) if len(pts) > 1 else round(Fraction(1, 25) / stream.time_base)
    )
    return FrameIndex(
        time_base=stream.time_base,
        pts=pts,
        keyframes=tuple(sorted(seen.keyframes, key=lambda key: key.pts)),
        last_duration=seen.last_duration or max(typical, 1),
        origin=_origin(container, stream.time_base, pts[0]),
        sequential=container.format.name in _SEQUENTIAL,
        duplicates=seen.duplicates,
    )


def _origin(container: InputContainer, time_base: Fraction, first: int) -> int:
    if container.format.name in _ARBITRARY_CLOCK:
        start = container.start_time
        return first if start is None else min(first, int(Fraction(start, av.time_base) / time_base))
    return min(first, 0)
