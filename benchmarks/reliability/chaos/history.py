"""What happened to jobs, and whether it may have: a program reads the whole history after the last fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

MOMENT_S = 2.5
"""Seconds before a loss of power in which an accepted job may be lost: Redis writes its log once a second."""
CLEAR = frozenset({"segment_gave_up", "engine_unavailable", "storage_unavailable"})
"""Errors by which a job may fail under faults: they say that it was mistreated too often."""


@dataclass(frozen=True)
class Accepted:
    """A submission that was answered with 202."""

    job_id: str
    clip: str
    key: str
    at: float
    """Unix seconds."""


@dataclass(frozen=True)
class Ended:
    """What the service says of a job in the end."""

    status: str
    """``unknown`` for a job that is not there."""
    error: str | None = None
    done: tuple[str, ...] = ()
    """The step of each ``step_done`` in its log of events."""
    results: tuple[str, ...] = ()
    """The SHA-256 of the result, each time that it was fetched."""


@dataclass(frozen=True)
class History:
    """Everything that is judged."""

    accepted: tuple[Accepted, ...]
    ended: Mapping[str, Ended]
    """By id, of all jobs that the service lists, and of those that were accepted."""
    references: Mapping[str, str]
    """The SHA-256 of the result of each clip, made without any fault."""
    losses: tuple[float, ...]
    """When power was lost, in unix seconds."""
    unanswered: int = 0
    """Submissions that were given up: each may have made a job."""

    def violations(self) -> list[str]:
        """Returns a sentence for each thing that must not have happened."""
        found = [text for one in self.accepted for text in self._of(one)]
        strangers = set(self.ended) - {one.job_id for one in self.accepted}
        if len(strangers) > self.unanswered:
            found.append(f"Jobs were made although nobody was told of them: {', '.join(sorted(strangers))}.")
        known = {(one.key, one.job_id) for one in self.accepted if self.ended[one.job_id].status != "unknown"}
        ids = Counter(key for key, _ in known)
        found += [f"One submission, {key}, made {number} jobs." for key, number in ids.items() if number > 1]
        return found

    def _of(self, one: Accepted) -> Iterator[str]:
        ended = self.ended[one.job_id]
        if ended.status == "unknown":
            if not any(0 <= loss - one.at < MOMENT_S for loss in self.losses):
                yield f"Job {one.job_id} was accepted and is unknown."
            return
        twice = [step for step, number in Counter(ended.done).items() if number > 1]
        if twice:
            yield f"Job {one.job_id} finished {', '.join(sorted(twice))} more than once."
        if ended.status == "failed" and ended.error not in CLEAR:
            yield f"Job {one.job_id} failed with {ended.error}."
        elif ended.status not in ("succeeded", "failed"):
            yield f"Job {one.job_id} is {ended.status} and does not end."
        wrong = set(ended.results) - {self.references[one.clip]}
        if wrong or (ended.status == "succeeded" and not ended.results):
            yield f"The result of job {one.job_id} is not what it should be."
