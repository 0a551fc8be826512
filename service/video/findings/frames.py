"""What a result keeps of the frames and their times, as the packets tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from service.findings import SHOWN, Code, Finding, Kind, at_frames
from service.text import plural
from service.video.index import FrameIndex
from service.video.timeline import ClockBreak

_THREE_TO_TWO, _ROUNDING = 1.5, 0.03
"""Of the durations of neighbors; times in milliseconds are rounded."""
_STANDS = 1.5
"""Of the usual duration of a frame; one that is shown for longer stands still."""
_FEWEST, _NEARLY_ALL = 8, 0.9
HELD = "A frame does not decode; its neighbor's picture is shown in its place."


def frame_findings(index: FrameIndex) -> Iterator[Finding]:
    """Yields what is known from the index alone."""
    if index.duplicates:
        left_out = plural(index.duplicates, "frame")
        yield Finding(
            Kind.LOST,
            Code.DUPLICATES,
            f"{left_out} with another frame's time left out.",
            count=index.duplicates,
        )
    if index.late and not index.skipped:
        began = float(index.origin * index.time_base)
        text = f"The clock of the file begins at {began:.3f} s, that of the result at zero."
        yield Finding(Kind.CHANGED, Code.START, text)
    if index.lost and index.end is None:
        text = f"The file is truncated: its last {float(index.lost):.3f} s are missing."
        yield Finding(Kind.LOST, Code.DAMAGE, text)
    broken = [number for number, pts in enumerate(index.pts) if pts in index.broken]
    if broken:
        places = [(number, index.seconds(number)) for number in broken]
        yield at_frames(Kind.LOST, Code.DAMAGE, HELD, places)
    for stream, packets in index.damaged_sound:
        text = f"Damaged sound is left out: {plural(packets, 'packet')}."
        yield Finding(Kind.LOST, Code.DAMAGE, text, stream, count=packets)
    yield from _shapes(index)
    yield from _breaks(index)
    if _is_soft_pulldown(index):
        text = "The video is film in 3:2 pulldown by flags: its frames are shown in turns for two and for three fields."
        yield Finding(Kind.KEPT, Code.INTERLACING, text)


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
        text = "The shape of pixels changes; the result keeps that of the first frame."
        yield at_frames(Kind.LOST, Code.PIXEL_ASPECT, text, places)


def _breaks(index: FrameIndex) -> Iterator[Finding]:
    """Yields what becomes of the places where the file's clock does not go on."""
    places: dict[int | None, list[tuple[ClockBreak, float]]] = {}
    for one in index.breaks:
        if (moment := _moment(index, one)) is not None:
            places.setdefault(one.stream, []).append((one, moment))
    for stream, found in places.items():
        shown = tuple(round(moment, 6) for _, moment in found[:SHOWN])
        text = "The clock of the sound steps back; the sound goes on without a gap."
        if stream is None:
            text = _common_break(index, [one for one, _ in found])
        yield Finding(Kind.CHANGED, Code.CLOCK, text, stream, count=len(found), times_s=shown)


def _common_break(index: FrameIndex, breaks: Sequence[ClockBreak]) -> str:
    """Returns what is done where picture and sound break together, or the picture has no sound."""
    ended = "picture and sound have" if any(one.with_sound for one in breaks) else "the picture has"
    text = f"The clock of the file breaks; what follows begins where {ended} ended"
    usual = median(index.step(frame) for frame in range(index.frames))
    lasts = [index.step(index.first_from(round(one.at / index.time_base)) - 1) for one in breaks]
    if max(lasts) <= _STANDS * usual:
        return f"{text}."
    most = "up to " if len(lasts) > 1 else ""
    return f"{text}, and until then the picture stands for {most}{float(max(lasts) * index.time_base):.2f} s."


def _moment(index: FrameIndex, one: ClockBreak) -> float | None:
    """Returns when a break is by the result's clock; None where an excerpt leaves it out, or begins with it."""
    tick = one.at / index.time_base
    if tick <= index.pts[0] or (index.end is not None and tick >= index.end):
        return None
    return float(one.at - index.origin * index.time_base)
