"""Compares when frames appear in a source and in a result."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from service.findings import Code, Finding, Kind
from service.text import plural
from service.video.source import Source


def largest_error(source: Source, result: Source) -> float:
    """Returns the largest distance of a frame's time in the result from its time in the source, in seconds.

    A result may have fewer frames than its source.
    """
    frames = min(source.index.frames, result.index.frames)
    return float(max(abs(_distance(source, result, frame)) for frame in range(frames)))


def time_findings(frames: int, error: float) -> Iterator[Finding]:
    """Yields what a result with the right number of frames keeps of their times."""
    yield Finding(Kind.KEPT, Code.FRAMES, f"{plural(frames, 'frame')}, as many as in the source.")
    exact = "exactly" if error == 0 else f"within {error * 1000:.3g} ms"
    yield Finding(Kind.KEPT, Code.TIMES, f"Each frame appears {exact} at its time.")


def _distance(source: Source, result: Source, frame: int) -> Fraction:
    ours, theirs = result.index, source.index
    return ours.pts[frame] * ours.time_base - (theirs.pts[frame] - theirs.origin) * theirs.time_base
