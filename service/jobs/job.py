"""A job: what was asked for, how far it is, and how it ended."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from enum import StrEnum

from service.findings import Finding
from service.memory.plan import MemoryPlan
from service.quality import Quality
from service.types import EncodeOptions, Segment, VideoInfo

JOB_ID = re.compile(r"[0-9a-f]{32}")


class JobStatus(StrEnum):
    """The states of a job. TRANSITIONS says which may follow which."""

    QUEUED = "queued"
    """The job was accepted and no worker has begun, or a retry was asked for."""
    RUNNING = "running"
    """A worker has begun at least one step."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    """The job had ended, and its files were removed."""

    @property
    def active(self) -> bool:
        """Whether the job still has work to do."""
        return self in (JobStatus.QUEUED, JobStatus.RUNNING)


TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELED}),
    JobStatus.RUNNING: frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELED}),
    JobStatus.SUCCEEDED: frozenset({JobStatus.EXPIRED}),
    JobStatus.FAILED: frozenset({JobStatus.QUEUED, JobStatus.EXPIRED}),
    JobStatus.CANCELED: frozenset({JobStatus.QUEUED, JobStatus.EXPIRED}),
    JobStatus.EXPIRED: frozenset(),
}
"""The states that may follow each state. A retry queues a failed or canceled job again."""


def sources_of(target: JobStatus) -> frozenset[JobStatus]:
    """Returns the states from which ``target`` may be reached."""
    return frozenset(status for status, following in TRANSITIONS.items() if target in following)


class Stage(StrEnum):
    """What is being done for a job, in more detail than its status."""

    QUEUED = "queued"
    FETCHING = "fetching"
    """The video is on its way from its ``input_url``, or will be tried again."""
    PLANNING = "planning"
    RESTORING = "restoring"
    JOINING = "joining"
    WAITING_FOR_SPACE = "waiting_for_space"
    """A step found no room on the disk and is tried again; the job goes on by itself once there is some."""
    FINISHED = "finished"
    STOPPED = "stopped"


@dataclass(frozen=True)
class SourceFile:
    """The upload as it arrived. ``sha256`` is in hex."""

    filename: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Order:
    """A video that is still to be fetched, and what is asked for with it."""

    url: str
    fields: dict[str, str]
    """The options as the text fields of a form."""


@dataclass(frozen=True)
class JobSpec:
    """What was fixed when the job was accepted."""

    model: str
    options: EncodeOptions
    source: SourceFile
    video: VideoInfo
    webhook_url: str | None = None
    estimated_s: float | None = None
    """Seconds that the job was expected to take at submission, with the wait for other jobs; None if nothing was
    measured before."""
    estimated_restoring_s: float | None = None
    """Seconds of that for the work itself."""
    request_id: str | None = None
    """Id of the request that created the job; all log lines about the job name it."""
    traceparent: str | None = None
    """W3C trace context of that request, the parent of the spans of the job's steps."""
    looks: int = 1
    """Times that each window is restored; the result has the mean."""
    quality: Quality | None = None
    """The quality that chose model and looks; None if they were asked for by themselves."""
    strict: bool = False
    """Whether the job fails if its result would not hold everything that the upload holds."""
    cost: float = 1.0
    """What the model takes for a pixel, as its card says: ``service.model_catalog``."""
    preview: bool = False
    """Whether somebody waits for a few frames: its steps go before those of all other jobs."""
    output_url: str | None = None
    """Where the result is sent."""
    order: Order | None = None
    """Where the video is fetched from. Until that is done, ``source`` has its name alone, and ``options`` and ``video``
    stand for nothing."""


class EtaReason(StrEnum):
    """Why a job takes longer than was said before; ``ETA_REASONS`` has a sentence for each."""

    SLOWER = "slower"
    OTHER_JOBS = "other_jobs"
    WAITING_FOR_TURN = "waiting_for_turn"
    WAITING_FOR_SPACE = "waiting_for_space"
    WORKER_LOST = "worker_lost"


ETA_REASONS = {
    EtaReason.SLOWER: "The video takes longer to restore than expected.",
    EtaReason.OTHER_JOBS: "Other jobs went first, or took some of the workers.",
    EtaReason.WAITING_FOR_TURN: "Other jobs go first; this one goes on when it is its turn.",
    EtaReason.WAITING_FOR_SPACE: "The disk of the service is full; the job goes on when there is room.",
    EtaReason.WORKER_LOST: "A worker stopped in the midst of this job; what it had begun is restored once more.",
}


@dataclass(frozen=True)
class Progress:
    """How far a job is. ``eta_s`` is in seconds and ticks down; None until something was measured."""

    stage: Stage
    frames_done: int
    frames_total: int
    frames_per_second: float | None
    eta_s: float | None
    newest_frame: int | None = None
    """The restored frame that was shown last; None before the first."""
    eta_reason: EtaReason | None = None
    """Why ``eta_s`` rose, or does not fall; None while it falls."""
    bytes_done: int | None = None
    """Of the video that is fetched; None once it is there."""
    bytes_total: int | None = None
    """None where its server does not say."""

    @property
    def fraction(self) -> float:
        """The restored part of the frames, in 0..1."""
        return self.frames_done / self.frames_total if self.frames_total else 0.0


@dataclass(frozen=True)
class Output:
    """The finished file. ``sha256`` is in hex."""

    bytes: int
    sha256: str
    container: str
    codec: str
    frames: int
    partial: bool = False
    """Whether it holds only the frames that were restored before the job was canceled, from the first one on."""
    findings: tuple[Finding, ...] | None = None
    """What it keeps, changes and lacks of the upload; None for one that an older version made."""


class HandoverState(StrEnum):
    """What has become of sending a result to its ``output_url``."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"
    """Given up, after too many attempts or because its address is refused."""


@dataclass(frozen=True)
class Handover:
    """How the result of a job gets to its ``output_url``. Times are unix seconds."""

    state: HandoverState = HandoverState.PENDING
    attempts: int = 0
    last_attempt_at: float | None = None
    last_answer: str | None = None
    """The HTTP status, or a sentence on what went wrong."""
    next_attempt_at: float | None = None


@dataclass(frozen=True)
class Failure:
    """Why a job failed: the stable code of the error and its message."""

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
    """When the files are removed; None while the job is active, and if files are kept forever."""
    plan: tuple[Segment, ...]
    """The segments; empty until the plan was made."""
    progress: Progress
    output: Output | None
    error: Failure | None
    tenant: str
    """The name of the tenant whose job it is."""
    memory_plans: tuple[MemoryPlan, ...] = ()
    """How its windows are restored: the plan that was made first, and each smaller one after one ran out of memory."""
    handover: Handover | None = None
    """None unless it has succeeded and its result is sent somewhere."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the result keeps, changes and lacks; while there is none, what is known before."""
        known = self.output.findings if self.output else None
        return self.spec.video.findings if known is None else known


def new_job_id() -> str:
    """Returns a new id in 32 hex digits: 48 bits of milliseconds, so that ids sort by age, then 80 random bits."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
