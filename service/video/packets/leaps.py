"""Finds the places where a stream's clock steps back or leaps ahead, and those where the clocks of all do."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from service.video.packets.track import HIDDEN, KEY, NO_TIME, Track

LEAP_S = 10
"""A shorter gap is one: a signal that was lost, a still picture. FFmpeg's own tool draws the line here, too."""
REORDERING_S = 2
"""Frames of one clock are never out of order by more: even 16 reordered frames of 10 a second are not."""
ALIKE_S = 1
"""Clocks that break together break alike, but for sound that is longer or shorter than the picture by up to this."""


@dataclass(frozen=True)
class Leap:
    """A packet whose time does not go on from those before it."""

    ordinal: int
    order: int
    """Its place among the packets of all streams."""
    seconds: Fraction
    """From the end of what came before to the beginning of what follows; negative for a step back."""


@dataclass(frozen=True)
class CommonBreak:
    """A place where the clocks of picture and sound break together."""

    order: int
    ordinals: Mapping[int, int]
    """The first packet after the break, of picture and sound streams by their index."""
    seconds: Fraction
    """The picture's leap."""


def leaps_of(track: Track) -> list[Leap]:
    """Returns the leaps of a stream of pictures or sound."""
    starts = list(_starts(track))
    spans = [span(track, *bounds) for bounds in zip(starts, [*starts[1:], len(track.pts)], strict=False)]
    found = zip(starts[1:], spans, spans[1:], strict=False)
    return [
        Leap(ordinal, track.order[ordinal], (after[0] - before[1]) * track.time_base)
        for ordinal, before, after in found
    ]


def span(track: Track, first: int, stop: int) -> tuple[int, int]:
    """Returns when the first of some packets begins and the last one ends, in ticks.

    Raises ValueError where none has a time.
    """
    usual = usual_duration(track)
    shown = [at for at in range(first, stop) if _counts(track, at)]
    ends = (track.pts[at] + (track.duration[at] or usual) for at in shown)
    return min(track.pts[at] for at in shown), max(ends)


def usual_duration(track: Track) -> int:
    """Returns the ticks for which most packets last, or most steps between times where no durations are told."""
    told = sorted(duration for duration in track.duration if duration)
    if told:
        return told[len(told) // 2]
    times = sorted(pts for pts in track.pts if pts != NO_TIME)
    steps = sorted(after - before for before, after in pairwise(times) if after > before)
    return steps[len(steps) // 2] if steps else 1


def mend_outliers(track: Track) -> None:
    """Gives single frames that are far from both neighbors the time after these.

    FFmpeg computes times that an MPEG program stream does not store from those that follow, also across a break.
    """
    usual, leap = usual_duration(track), int(LEAP_S / track.time_base)
    shown = [at for at in range(len(track.pts)) if _counts(track, at)]
    for before, at, after in zip(shown, shown[1:], shown[2:], strict=False):
        near = abs(track.pts[after] - track.pts[before]) <= leap
        if near and abs(track.pts[at] - track.pts[before]) > leap:
            track.pts[at] = max(track.pts[before], track.pts[after]) + usual


def common_breaks(tracks: Mapping[int, Track], picture: int, alone: bool) -> list[CommonBreak]:
    """Returns the breaks of the clock that picture and sound share.

    ``alone``: whether the picture's own leap ahead is one without any sound to prove it.
    """
    sounds = {index: track for index, track in tracks.items() if track.kind == "audio" and len(track.pts)}
    unused = {index: leaps_of(track) for index, track in sounds.items()}
    found = []
    for leap in leaps_of(tracks[picture]):
        partners = {index: _partner(leap, leaps) for index, leaps in unused.items()}
        if leap.seconds < 0 or any(partners.values()) or (alone and not sounds):
            ordinals = {picture: leap.ordinal}
            for index, partner in partners.items():
                if partner is None:
                    ordinals[index] = _following(sounds[index], tracks[picture], leap)
                else:
                    unused[index].remove(partner)
                    ordinals[index] = partner.ordinal
            found.append(CommonBreak(leap.order, ordinals, leap.seconds))
    return found


def _starts(track: Track) -> Iterator[int]:
    """Yields the ordinals at which a run of times begins that go on from one another."""
    usual, breaks = usual_duration(track), _Rule(track)
    last = end = NO_TIME
    shown = [at for at in range(len(track.pts)) if _counts(track, at)]
    for at, following in zip(shown, [*shown[1:], -1], strict=False):
        pts = track.pts[at]
        if last == NO_TIME or breaks.at(at, following, last, end):
            yield at
            last, end = pts, pts + (track.duration[at] or usual)
        else:
            last, end = max(last, pts), max(end, pts + (track.duration[at] or usual))


class _Rule:
    """Decides whether a packet's time goes on from those before it."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._leap = int(LEAP_S / track.time_base)
        self._reordering = int(REORDERING_S / track.time_base)
        self._intra = all(flags & KEY for flags in track.flags)

    def at(self, at: int, following: int, last: int, end: int) -> bool:
        """Returns whether packet ``at`` leaps. ``last``: the latest time before it; ``end``: when that one ends.

        ``following``: the packet after it, or -1.
        """
        pts = self._track.pts[at]
        if pts - end > self._leap:
            return True
        if self._track.kind != "video":
            return pts < last
        if last - pts > self._reordering:
            return True
        if pts > last or not self._track.flags[at] & KEY:
            return False
        # What precedes a keyframe in the file also precedes it on the screen. Where all frames are keyframes, single
        # ones that are late or have their neighbor's time are no other clock.
        return not self._intra or (following >= 0 and self._track.pts[following] <= last)


def _counts(track: Track, ordinal: int) -> bool:
    return track.pts[ordinal] != NO_TIME and not track.flags[ordinal] & HIDDEN


def _partner(leap: Leap, others: Sequence[Leap]) -> Leap | None:
    """Returns the leap of another stream that belongs to ``leap``."""
    slack = max(Fraction(ALIKE_S), abs(leap.seconds) / 4)
    alike = [other for other in others if abs(other.seconds - leap.seconds) <= slack]
    return min(alike, key=lambda other: abs(other.order - leap.order), default=None)


def _following(sound: Track, picture: Track, leap: Leap) -> int:
    """Returns the first packet of sound that lies after a leap of the picture in the file."""
    place = picture.place[leap.ordinal]
    if place >= 0 and all(here >= 0 for here in sound.place):
        return bisect_left(sound.place, place)
    return bisect_left(sound.order, leap.order)
