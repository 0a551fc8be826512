"""Names of the steps of a job: ``plan``, one ``segment:<index>`` per segment, ``finish``."""

from __future__ import annotations

PLAN = "plan"
FINISH = "finish"
SEGMENT_PREFIX = "segment:"


def segment_step(index: int) -> str:
    """Returns the name of the step that restores segment ``index``."""
    return f"{SEGMENT_PREFIX}{index}"


def segment_index(step: str) -> int:
    """Returns the segment that a ``segment:<index>`` step restores."""
    return int(step.removeprefix(SEGMENT_PREFIX))
