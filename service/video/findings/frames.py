"""What a result keeps of the frames and their times, as the packets tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from service.findings import SHOWN, Code, Finding, Kind, located, said
from service.text import Value
from service.video.index import FrameIndex
from service.video.timeline import ClockBreak

_THREE_TO_TWO, _ROUNDING = 1.5, 0.03
"""Of the durations of neighbors; times in milliseconds are rounded."""
_STANDS = 1.5
"""Of the usual duration of a frame; one that is shown for longer stands still."""
_FEWEST, _NEARLY_ALL = 8, 0.9


def frame_findings(index: FrameIndex) -> Iterator[Finding]:
    """Yields what is known from the index alone."""
    if index.duplicates:
        count = index.duplicates
        yield said(Kind.LOST, Code.DUPLICATES, "duplicates_dropped", {"count": count}, places=count)
    if index.late and not index.skipped:
        began = float(index.origin * index.time_base)
        yield said(Kind.CHANGED, Code.START, "clock_begins_late", {"seconds": began})
    if index.lost and index.end is None:
        yield said(Kind.LOST, Code.DAMAGE, "truncated", {"seconds": float(index.lost)})
    broken = [number for number, pts in enumerate(index.pts) if pts in index.broken]
    if broken:
        places = [(number, index.seconds(number)) for number in broken]
        yield located(said(Kind.LOST, Code.DAMAGE, "frame_held"), places)
    for stream, packets in index.damaged_sound:
        yield said(Kind.LOST, Code.DAMAGE, "sound_damaged", {"count": packets}, stream=stream, places=packets)
    yield from _shapes(index)
    yield from _breaks(index)
    if _is_soft_pulldown(index):
        yield said(Kind.KEPT, Code.INTERLACING, "pulldown_by_flags")


def _is_soft_pulldown(index: FrameIndex) -> bool:
    """Returns whether nearly all frames last in turns 3/2 as long as their neighbors."""
    steps = [index.step(frame) for frame in range(index.frames - 1)]
    ratios = [max(one, other) / min(one, other) for one, other in pairwise(steps) if min(one, other)]
    alternating = sum(abs(ratio - _THREE_TO_TWO) < _ROUNDING for ratio in ratios)
    return len(ratios) >= _FEWEST and alternating >= _NEARLY_ALL * len(ratios)


def _shapes(index: FrameIndex) -> Iterator[Finding]:
    within = [(tick, aspect) for tick, aspect in index.shapes if index.pts[0] < tick <= index.pts[-1]]
    if within:
        places = [(index.first_from(tick), index.seconds(index.first_from(tick))) for tick, _ in within]
        yield located(said(Kind.LOST, Code.PIXEL_ASPECT, "pixel_shape_changes"), places)


def _breaks(index: FrameIndex) -> Iterator[Finding]:
    """Yields what becomes of the places where the file's clock does not go on."""
    places: dict[int | None, list[tuple[ClockBreak, float]]] = {}
    for one in index.breaks:
        if (moment := _moment(index, one)) is not None:
            places.setdefault(one.stream, []).append((one, moment))
    for stream, found in places.items():
        shown = tuple(round(moment, 6) for _, moment in found[:SHOWN])
        phrase, values = "sound_steps_back", dict[str, Value]()
        if stream is None:
            phrase, values = _common_break(index, [one for one, _ in found])
        finding = said(Kind.CHANGED, Code.CLOCK, phrase, values, stream=stream, places=len(found))
        yield replace(finding, times_s=shown)


def _common_break(index: FrameIndex, breaks: Sequence[ClockBreak]) -> tuple[str, dict[str, Value]]:
    """Returns what is done where picture and sound break together, or the picture has no sound."""
    ended = "part.picture_and_sound" if any(one.with_sound for one in breaks) else "part.picture"
    usual = median(index.step(frame) for frame in range(index.frames))
    lasts = [index.step(index.first_from(round(one.at / index.time_base)) - 1) for one in breaks]
    if max(lasts) <= _STANDS * usual:
        return "clock_breaks", {"ended": ended}
    phrase = "clock_breaks_standing_most" if len(lasts) > 1 else "clock_breaks_standing"
    return phrase, {"ended": ended, "seconds": float(max(lasts) * index.time_base)}


def _moment(index: FrameIndex, one: ClockBreak) -> float | None:
    """Returns when a break is by the result's clock; None where an excerpt leaves it out, or begins with it."""
    tick = one.at / index.time_base
    if tick <= index.pts[0] or (index.end is not None and tick >= index.end):
        return None
    return float(one.at - index.origin * index.time_base)
