"""A job: what was asked for, how far it is, how it ended."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum

from service.types import EncodeOptions, Segment, VideoInfo

JOB_ID = re.compile(r"[0-9a-f]{32}")


class JobStatus(StrEnum):
    QUEUED = "queued"
    """Accepted; no worker has begun, or a retry was asked for."""
    RUNNING = "running"
    """At least one step was begun by a worker."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    """It had ended, and its files were removed."""

    @property
    def active(self) -> bool:
        return self in (JobStatus.QUEUED, JobStatus.RUNNING)


TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELED}),
    JobStatus.RUNNING: frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED}),
    JobStatus.SUCCEEDED: frozenset({JobStatus.EXPIRED}),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED, JobStatus.EXPIRED}),
    JobStatus.CANCELED: frozenset({JobStatus.QUEUED, JobStatus.EXPIRED}),
    JobStatus.EXPIRED: frozenset(),
}
"""Which state may follow which. Failed and canceled jobs can be queued again: that is a retry."""


def sources_of(target: JobStatus) -> frozenset[JobStatus]:
    """The states from which ``target`` may be reached."""
    return frozenset(status for status, following in TRANSITIONS.items() if target in following)


class Stage(StrEnum):
    """What is being done to a job, in more detail than its status."""

    QUEUED = "queued"
    PLANNING = "planning"
    RESTORING = "restoring"
    JOINING = "joining"
    FINISHED = "finished"
    STOPPED = "stopped"


@dataclass(frozen=True)
class SourceFile:
    """The upload as it arrived."""

    filename: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class JobSpec:
    """Everything that was fixed when the job was accepted."""

    model: str
    options: EncodeOptions
    source: SourceFile
    video: VideoInfo
    webhook_url: str | None = None
    estimated_s: float | None = None
    """What was expected at submission, the wait for other jobs included; None if nothing was measured before."""
    estimated_restoring_s: float | None = None
    """Of that, the work itself."""
    request_id: str | None = None
    """Of the request that made it; all log lines about the job name it."""
    traceparent: str | None = None
    """The span of that request; those of the job's steps hang below it."""
    strict: bool = False
    """Whether the job fails where its result would not hold everything that the upload holds."""


@dataclass(frozen=True)
class Progress:
    """How far a job is. ``fraction`` is in 0..1, ``eta_s`` in seconds; None until something was measured."""

    stage: Stage
    frames_done: int
    frames_total: int
    frames_per_second: float | None
    eta_s: float | None

    @property
    def fraction(self) -> float:
        return self.frames_done / self.frames_total if self.frames_total else 0.0


@dataclass(frozen=True)
class Output:
    """The finished file."""

    bytes: int
    sha256: str
    container: str
    codec: str
    frames: int
    partial: bool = False
    """Whether it holds only the beginning, up to where the job was canceled."""


@dataclass(frozen=True)
class Failure:
    """Why a job failed: the stable code of the error and its words."""

    code: str
    detail: str


@dataclass(frozen=True)
class Job:
    """A snapshot of one job. Times are unix seconds."""

    id: str
    status: JobStatus
    spec: JobSpec
    created_at: float
    started_at: float | None
    finished_at: float | None
    expires_at: float | None
    """When its files are removed; None while it is active, and for jobs that are kept."""
    plan: tuple[Segment, ...]
    """Empty until the plan was made."""
    progress: Progress
    output: Output | None
    error: Failure | None
    tenant: str
    """Whose it is."""


def new_job_id() -> str:
    """48 bits of milliseconds, then 80 random bits: sorts by age and cannot be guessed."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
