"""The steps of a job: ``plan``, one ``segment:<index>`` per segment, ``finish``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PLAN = "plan"
FINISH = "finish"
SEGMENT_PREFIX = "segment:"


def segment_step(index: int) -> str:
    return f"{SEGMENT_PREFIX}{index}"


def segment_index(step: str) -> int:
    """The segment that a ``segment:<index>`` step restores."""
    return int(step.removeprefix(SEGMENT_PREFIX))


class ClaimAnswer(StrEnum):
    """What a worker hears when it asks to begin a step."""

    GRANTED = "granted"
    DONE = "done"
    """Finished earlier; the message was delivered twice."""
    HELD = "held"
    """A live worker is at it."""
    STOPPED = "stopped"
    """The job is not active any more, or was deleted."""


@dataclass(frozen=True)
class Claim:
    """The answer to a claim."""

    answer: ClaimAnswer
    deliveries: int = 0
    """How often the step was begun without coming back, this time included."""
    crashes: int = 0
    """Workers that went down with a step of this job since one was last finished."""
