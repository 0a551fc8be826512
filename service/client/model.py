"""The JSON of the service as dataclasses. Keys that a newer service adds are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

FINAL_STATUSES = frozenset({"succeeded", "failed", "canceled", "expired"})

T = TypeVar("T")


def from_json(cls: type[T], data: Mapping[str, Any]) -> T:
    """Builds a dataclass from the keys that it knows."""
    return cls(**{field.name: data[field.name] for field in fields(cls) if field.name in data})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Problem:
    """A problem document (RFC 9457); ``code`` is stable, the texts are for people."""

    title: str = ""
    detail: str = ""
    status: int | None = 0
    code: str = "unknown"


@dataclass(frozen=True)
class Progress:
    """How far a job is. ``fraction`` is in 0..1; ``eta_s`` are seconds until its end, as estimated."""

    frames_done: int = 0
    frames_total: int = 0
    fraction: float = 0.0
    frames_per_second: float | None = None
    eta_s: float | None = None
    stage: str | None = None
    bytes_done: int | None = None
    """Bytes of the video of an ``input_url`` that have arrived, in the stage ``fetching``."""
    bytes_total: int | None = None
    """None where its server does not say how many there are."""


@dataclass(frozen=True)
class Input:
    """What the service found in the uploaded video. Sizes are in pixels, before rotation in degrees clockwise."""

    filename: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    frames: int = 0
    fps: float = 0.0
    duration_s: float = 0.0
    sha256: str | None = None
    container: str = ""
    codec: str = ""
    variable_frame_rate: bool = False
    rotation: int = 0
    bit_depth: int = 8
    audio: list[str] = field(default_factory=list)
    subtitles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Output:
    """The result of a job."""

    bytes: int
    frames: int
    sha256: str | None = None
    container: str = "mp4"
    codec: str = ""
    partial: bool = False
    """Whether it is only the beginning, because the job was canceled."""


@dataclass(frozen=True)
class Handover:
    """What became of sending a result to its ``output_url``: ``state`` is ``pending``, ``delivered`` or ``dead``."""

    state: str
    attempts: int = 0
    last_attempt_at: str | None = None
    last_answer: str | None = None
    """The HTTP status, or a sentence on what went wrong."""
    next_attempt_at: str | None = None


@dataclass(frozen=True)
class Finding:
    """What became of a property of the video, or of one of its streams.

    ``kind`` is ``kept``, ``changed`` or ``lost``; ``code`` names the property, ``text`` says it to people.
    """

    kind: str
    code: str
    text: str
    stream: int | None = None
    count: int = 0
    """How many frames it is about; 0 is none in particular."""
    frames: list[int] = field(default_factory=list)
    """The first of them."""
    times_s: list[float] = field(default_factory=list)
    phrase: str = ""
    """The name of the sentence, for whoever says it in another language with its ``values``."""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """A job of the service. Times are RFC 3339."""

    id: str
    status: str
    model: str
    created_at: str
    progress: Progress
    input: Input | None
    """None until the video of an ``input_url`` is at the service."""
    output: Output | None
    error: Problem | None
    filename: str = ""
    """The name of the video, also while it is fetched."""
    started_at: str | None = None
    finished_at: str | None = None
    expires_at: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    """What the result keeps, changes and lacks; before it is there what is known from the upload."""
    losses: list[str] = field(default_factory=list)
    """A sentence for each loss."""
    handover: Handover | None = None
    """None unless a finished result goes to an ``output_url``."""

    @property
    def finished(self) -> bool:
        return self.status in FINAL_STATUSES

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Job:
        """Builds a job from the body of GET /jobs/<id>."""
        parts = {
            "model": data.get("model", ""),
            "created_at": data.get("created_at", ""),
            "progress": from_json(Progress, data.get("progress") or {}),
            "input": from_json(Input, data["input"]) if data.get("input") else None,
            "output": from_json(Output, data["output"]) if data.get("output") else None,
            "findings": [from_json(Finding, each) for each in data.get("findings") or ()],
            "handover": from_json(Handover, data["handover"]) if data.get("handover") else None,
            "error": from_json(Problem, data["error"]) if data.get("error") else None,
            "filename": data.get("filename") or (data.get("input") or {}).get("filename", ""),
        }
        return from_json(Job, {**data, **parts})


@dataclass(frozen=True)
class Event:
    """An entry of a job's log. Types: ``status``, ``step_started``, ``step_done``, ``progress``, ``fetch``."""

    id: str
    type: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Description:
    """Describes a video for an estimate, in pixels and frames. Give ``frames``, or ``duration_s`` and ``fps``."""

    width: int
    height: int
    frames: int | None = None
    duration_s: float | None = None
    fps: float | None = None
    bytes: int | None = None
    """Size of the file, from which the disk space is estimated."""
    model: str | None = None
    looks: int | None = None
    quality: str | None = None
    """``fast``, ``good`` or ``best``, instead of model and looks."""


@dataclass(frozen=True)
class Estimate:
    """What a video would take. None stands for what that installation has not measured yet."""

    model: str = ""
    looks: int = 1
    quality: str | None = None
    frames: int = 0
    seconds: float | None = None
    """Time from submission to the result, with ``waiting_s`` until its turn comes."""
    waiting_s: float | None = None
    restoring_s: float | None = None
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    findings: list[Finding] | None = None
    """What the result would keep, change and lack; None without a video to look at."""
    losses: list[str] | None = None
    basis: str = "none"

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Estimate:
        """Builds an estimate from the body of POST /estimates."""
        found = data.get("findings")
        findings = None if found is None else [from_json(Finding, each) for each in found]
        return from_json(Estimate, {**data, "findings": findings})


@dataclass(frozen=True)
class Sharpness:
    """How sharp every frame is, by frame number; None for a frame that is not restored yet.

    ``before`` and ``after`` are variances of the Laplacian, ``prior`` is in 0..1.
    """

    frames_total: int = 0
    frames_measured: int = 0
    complete: bool = False
    measure: str = ""
    before: list[float | None] = field(default_factory=list)
    after: list[float | None] = field(default_factory=list)
    prior: list[float | None] = field(default_factory=list)
    shots: list[int] = field(default_factory=list)
    """The frame with which each shot begins."""
