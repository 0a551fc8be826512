"""Compares when frames appear in a source and in a result."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from service.findings import Code, Finding, Kind
from service.text import plural
from service.video.source import Source

_WITHOUT_NEGATIVE_TIMES = ("mkv", "webm")
_LONGEST_DELAY_S = Fraction(1, 5)
"""An encoder's delay of sound is shorter than this."""


def late_start(source: Source, result: Source, container: str) -> Fraction:
    """Returns by how many seconds all streams begin later in the result, which is in ``container``.

    Sound whose encoder needs a run-up begins before zero. Matroska has no negative times, so its writer moves all
    streams by as much.
    """
    if container not in _WITHOUT_NEGATIVE_TIMES:
        return Fraction(0)
    first = _distance(source, result, 0)
    return first if 0 < first < _LONGEST_DELAY_S and not source.index.skipped else Fraction(0)


def largest_error(source: Source, result: Source, late: Fraction) -> float:
    """Returns the largest distance of a frame's time in the result from its time in the source, in seconds.

    ``late``: the seconds by which all of the result is later. A result may have less frames than its source.
    """
    frames = min(source.index.frames, result.index.frames)
    return float(max(abs(_distance(source, result, frame) - late) for frame in range(frames)))


def time_findings(frames: int, error: float, late: Fraction) -> Iterator[Finding]:
    """Yields what a result with the right number of frames keeps of their times."""
    yield Finding(Kind.KEPT, Code.FRAMES, f"{plural(frames, 'frame')}, as many as in the source.")
    exact = "exactly" if error == 0 else f"within {error * 1000:.3g} ms"
    yield Finding(Kind.KEPT, Code.TIMES, f"Each frame appears {exact} at its time.")
    if late:
        run_up = f"{float(late) * 1000:.3g} ms"
        text = f"All streams begin {run_up} later, as the run-up of the sound does not fit before zero."
        yield Finding(Kind.CHANGED, Code.START, text)


def _distance(source: Source, result: Source, frame: int) -> Fraction:
    ours, theirs = result.index, source.index
    return ours.pts[frame] * ours.time_base - (theirs.pts[frame] - theirs.origin) * theirs.time_base
