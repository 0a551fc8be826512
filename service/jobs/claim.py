"""The answer to a worker that asks for a step of a job."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ClaimAnswer(StrEnum):
    """Whether a worker may begin a step, and if not, why."""

    GRANTED = "granted"
    """The worker now holds the step alone."""
    DONE = "done"
    """The step was finished earlier: its message was delivered twice."""
    HELD = "held"
    """A live worker holds the step."""
    STOPPED = "stopped"
    """The job is no longer active, or was deleted."""


@dataclass(frozen=True)
class Claim:
    """The answer to a claim, and how often the step and its job went wrong before."""

    answer: ClaimAnswer
    deliveries: int = 0
    """How often the step was begun without coming back, this time included."""
    crashes: int = 0
    """How many workers crashed with a step of this job since one was last finished."""
