"""Compares when frames appear in a source and in a result."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from service.findings import Code, Finding, Kind, said
from service.video.source import Source


def largest_error(source: Source, result: Source) -> float:
    """Returns the largest distance of a frame's time in the result from its time in the source, in seconds.

    A result may have fewer frames than its source.
    """
    frames = min(source.index.frames, result.index.frames)
    return float(max(abs(_distance(source, result, frame)) for frame in range(frames)))


def time_findings(frames: int, error: float) -> Iterator[Finding]:
    """Yields what a result with the right number of frames keeps of their times."""
    yield said(Kind.KEPT, Code.FRAMES, "frames_kept", {"count": frames})
    if error == 0:
        yield said(Kind.KEPT, Code.TIMES, "times_exact")
    else:
        yield said(Kind.KEPT, Code.TIMES, "times_within", {"milliseconds": error * 1000})


def _distance(source: Source, result: Source, frame: int) -> Fraction:
    ours, theirs = result.index, source.index
    return ours.pts[frame] * ours.time_base - (theirs.pts[frame] - theirs.origin) * theirs.time_base
