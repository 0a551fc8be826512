"""Works out from the packets of a file how its clocks are brought to one timeline."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import accumulate

from service.video.packets.leaps import ALIKE_S, LEAP_S, CommonBreak, Leap, common_breaks, leaps_of, span
from service.video.packets.track import NO_TIME, Track
from service.video.timeline import ClockBreak, StreamClock, Timeline

_STORED = ("mpegts", "mpeg", "flv", "matroska,webm", "asf", "mov,mp4,m4a,3gp,3g2,mj2")
"""Formats that store times. The others count, and a count neither leaps nor steps back."""

_BROADCAST = ("mpegts", "mpeg")
"""Formats whose clock may be set anew: a long gap of the picture alone is a break there, and a still elsewhere."""

_WRAP_S = Fraction(1 << 33, 90_000)
"""The clock of broadcasts has 33 bits."""


def timeline_of(tracks: Mapping[int, Track], picture: int, container: str) -> Timeline:
    """Returns the timeline of a file; ``picture`` is the index of the stream that is restored.

    ``container``: FFmpeg's name of the format.
    """
    if container not in _STORED:
        return Timeline()
    common = common_breaks(tracks, picture, alone=container in _BROADCAST)
    shifts = _shifts(tracks, common)
    clocks: dict[int, StreamClock] = {}
    breaks = _common_breaks(tracks[picture], picture, common, shifts)
    for index, track in tracks.items():
        if index == picture or track.kind == "audio":
            starts = [one.ordinals[index] for one in common if index in one.ordinals]
            own = [leap for leap in _steps_back(index, track, picture) if leap.ordinal not in starts]
            if common or own:
                clocks[index] = _clock(track, starts, shifts, own)
                breaks += [_own_break(index, track, clocks[index], leap) for leap in own if not _wraps(leap)]
        elif common:
            clocks[index] = _sparse(track, tracks[picture], common, shifts)
    return Timeline(clocks, tuple(breaks))


def _shifts(tracks: Mapping[int, Track], common: Sequence[CommonBreak]) -> list[Fraction]:
    """Returns by how many seconds each part is moved back: the first by none, each later one to where all has ended."""
    gaps = []
    for number, one in enumerate(common):
        leaps = (_gap(tracks[index], common, number, index) for index in one.ordinals)
        gaps.append(min((leap for leap in leaps if leap is not None), default=one.seconds))
    return list(accumulate(gaps, initial=Fraction(0)))


def _gap(track: Track, common: Sequence[CommonBreak], number: int, index: int) -> Fraction | None:
    """Returns the seconds between a stream's packets before and after a break; None where one side has none."""
    first = common[number - 1].ordinals[index] if number else 0
    middle = common[number].ordinals[index]
    stop = common[number + 1].ordinals[index] if number + 1 < len(common) else len(track.pts)
    try:
        return (span(track, middle, stop)[0] - span(track, first, middle)[1]) * track.time_base
    except ValueError:
        return None


def _steps_back(index: int, track: Track, picture: int) -> list[Leap]:
    """Returns where a stream of sound steps back."""
    return [] if index == picture else [leap for leap in leaps_of(track) if leap.seconds < 0]


def _clock(
    track: Track, starts: Sequence[int], shifts: Sequence[Fraction], own: Sequence[Leap]
) -> StreamClock:
    """Returns the shifts of a stream that takes part in the common breaks and has leaps of its ``own``.

    Sound that alone steps back a little only comes late there; after a longer step, it goes on from its own end. What
    wraps alone began before zero.
    """
    changes = [
        (start, after - before) for start, before, after in zip(starts, shifts, shifts[1:], strict=False)
    ]
    changes += [(leap.ordinal, leap.seconds) for leap in own if leap.seconds < -ALIKE_S and not _wraps(leap)]
    wrapped = [(leap.ordinal, -_WRAP_S) for leap in own if _wraps(leap)]
    changes = sorted(changes + wrapped)
    totals = accumulate((change for _, change in changes), initial=_WRAP_S * len(wrapped))
    return StreamClock(
        (0, *(ordinal for ordinal, _ in changes)), tuple(round(total / track.time_base) for total in totals)
    )


def _wraps(leap: Leap) -> bool:
    return abs(leap.seconds + _WRAP_S) < LEAP_S


def _common_breaks(
    track: Track, index: int, common: Sequence[CommonBreak], shifts: Sequence[Fraction]
) -> list[ClockBreak]:
    """Each is where the first frame of its part appears; the first packet may hold another."""
    ordinals = [one.ordinals[index] for one in common]
    ends = [*ordinals[1:], len(track.pts)]
    breaks = []
    for one, shift, at, end in zip(common, shifts[1:], ordinals, ends, strict=False):
        tick = span(track, at, end)[0] - round(shift / track.time_base)
        has_sound = set(one.ordinals) != {index}
        breaks.append(ClockBreak(tick * track.time_base, one.seconds, with_sound=has_sound))
    return breaks


def _own_break(index: int, track: Track, clock: StreamClock, leap: Leap) -> ClockBreak:
    tick = track.pts[leap.ordinal] - clock.shift(leap.ordinal)
    return ClockBreak(tick * track.time_base, leap.seconds, index)


def _sparse(
    track: Track, picture: Track, common: Sequence[CommonBreak], shifts: Sequence[Fraction]
) -> StreamClock:
    """Returns the shifts of subtitles and the like: each packet belongs to the part where its time is at home."""
    ordinals, ticks = [0], [0]
    orders = [one.order for one in common]
    for ordinal, order in enumerate(track.order):
        if track.pts[ordinal] == NO_TIME:
            continue
        part = bisect_right(orders, order)
        near = shifts[max(part - 1, 0) : part + 2]
        now = _moment(picture, order, shifts[part])
        moment = track.pts[ordinal] * track.time_base
        best = min(near, key=lambda shift, moment=moment, now=now: abs(moment - shift - now))  # type: ignore[misc]
        if (shift := round(best / track.time_base)) != ticks[-1]:
            ordinals.append(ordinal)
            ticks.append(shift)
    return StreamClock(tuple(ordinals), tuple(ticks))


def _moment(picture: Track, order: int, shift: Fraction) -> Fraction:
    """Returns the time on the continuous clock of the picture that lies before a place in the file."""
    at = max(bisect_right(picture.order, order) - 1, 0)
    return picture.pts[at] * picture.time_base - shift
