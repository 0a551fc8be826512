"""Makes the bodies of answers, as the OpenAPI document shows them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from service.api.answers.finding_bodies import FindingBody, finding_bodies
from service.api.answers.handover_bodies import HandoverBody, handover_body, moment
from service.api.answers.option_bodies import OptionsBody, options_body
from service.api.answers.problems import title_of
from service.findings import lost
from service.jobs.job import ETA_REASONS, EtaReason, Job, JobSpec, JobStatus, Stage
from service.jobs.reader import JobPage

JOB_EXAMPLE_ID = "0199d3a4c7f15e0b6d2f8c91a7e34b52"


class ColorBody(BaseModel):
    """The four color fields of the video, as FFmpeg's codes; 2 is 'unspecified'."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool


class InputBody(BaseModel):
    """The upload as its probe read it. Sizes are in pixels, before rotation; frames, duration and rate are those of the
    part from `start` to `end`, where the job names one.
    """

    filename: str = Field(examples=["holiday.mp4"])
    bytes: int
    sha256: str
    container: str
    codec: str = Field(examples=["h264"])
    width: int = Field(examples=[1280])
    height: int = Field(examples=[720])
    frames: int
    duration_s: float
    fps: float
    variable_frame_rate: bool
    rotation: int = Field(description="Degrees clockwise that a player turns the frames by.")
    bit_depth: int
    color: ColorBody
    audio: list[str]
    subtitles: list[str]


class ProgressBody(BaseModel):
    frames_done: int
    frames_total: int
    fraction: float = Field(ge=0, le=1)
    frames_per_second: float | None
    eta_s: float | None = Field(description="Seconds until the job ends; ticks down.")
    eta_reason: EtaReason | None = Field(description="Why `eta_s` rose or does not fall, if it does so.")
    eta_reason_text: str | None = Field(description="The same as a sentence for people.")
    stage: Stage
    newest_frame: int | None = Field(
        description="The restored frame that `/preview/newest.jpg` shows; null before the first."
    )
    bytes_done: int | None = Field(
        description="Bytes of the video of an `input_url` that have arrived; null once it is here."
    )
    bytes_total: int | None = Field(description="How many there will be, where its server says so.")


class OutputBody(BaseModel):
    bytes: int
    sha256: str
    container: str
    codec: str
    frames: int
    partial: bool = Field(description="Whether it holds only the beginning, because the job was canceled.")


class ProblemBody(BaseModel):
    """A problem document (RFC 9457). ``code`` is stable; the texts are for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "about:blank",
                "title": "Not a video",
                "status": 415,
                "code": "not_a_video",
                "detail": "The file is in no container format that is accepted.",
            }
        }
    )
    type: str = "about:blank"
    title: str
    status: int | None = None
    code: str
    detail: str


_FILES = {"poster": "poster.jpg", "strip": "strip.jpg", "side_by_side": "side-by-side.mp4"}
"""Addresses that are no plain names."""


class UrlsBody(BaseModel):
    self: str = Field(examples=[f"/jobs/{JOB_EXAMPLE_ID}"])
    events: str
    source: str
    poster: str
    strip: str
    result: str
    side_by_side: str
    report: str
    sharpness: str
    webhooks: str
    cancel: str
    retry: str


class JobBody(BaseModel):
    id: str = Field(examples=[JOB_EXAMPLE_ID])
    status: JobStatus
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    filename: str = Field(examples=["holiday.mp4"], description="Of the video, also while it is fetched.")
    model: str = Field(examples=["cdvd_lite"])
    options: OptionsBody
    input: InputBody | None = Field(
        description="Is null while the video of an `input_url` is still to be fetched."
    )
    progress: ProgressBody
    output: OutputBody | None
    error: ProblemBody | None
    findings: list[FindingBody] = Field(
        description="What the result keeps, changes and lacks: before the job succeeds what is known from the upload."
    )
    losses: list[str] = Field(description="Of these a sentence for each loss.")
    handover: HandoverBody | None = Field(
        description="Is null unless a finished result goes to an `output_url`."
    )
    urls: UrlsBody


class JobPageBody(BaseModel):
    jobs: list[JobBody]
    next_cursor: str | None


def job_body(job: Job) -> JobBody:
    spec = job.spec
    return JobBody(
        id=job.id,
        status=job.status,
        created_at=moment(job.created_at),
        started_at=moment(job.started_at) if job.started_at else None,
        finished_at=moment(job.finished_at) if job.finished_at else None,
        expires_at=moment(job.expires_at) if job.expires_at else None,
        filename=spec.source.filename,
        model=spec.model,
        options=options_body(spec),
        input=_input_body(spec),
        progress=progress_body(job),
        output=OutputBody.model_validate(asdict(job.output)) if job.output else None,
        error=_error_body(job),
        findings=finding_bodies(job.findings),
        losses=list(lost(job.findings)),
        handover=handover_body(job.handover),
        urls=_urls(job.id),
    )


def _input_body(spec: JobSpec) -> InputBody | None:
    if spec.order is not None:
        return None
    return InputBody.model_validate({**asdict(spec.source), **asdict(spec.video)})


def job_page_body(page: JobPage) -> JobPageBody:
    return JobPageBody(jobs=[job_body(job) for job in page.jobs], next_cursor=page.cursor)


def progress_body(job: Job) -> ProgressBody:
    progress = job.progress
    return ProgressBody(
        frames_done=progress.frames_done,
        frames_total=progress.frames_total,
        fraction=round(progress.fraction, 6),
        frames_per_second=_rounded(progress.frames_per_second),
        eta_s=_rounded(progress.eta_s),
        eta_reason=progress.eta_reason,
        eta_reason_text=ETA_REASONS[progress.eta_reason] if progress.eta_reason else None,
        stage=progress.stage,
        newest_frame=progress.newest_frame,
        bytes_done=progress.bytes_done,
        bytes_total=progress.bytes_total,
    )


def _error_body(job: Job) -> ProblemBody | None:
    if job.error is None:
        return None
    return ProblemBody(title=title_of(job.error.code), code=job.error.code, detail=job.error.detail)


def _urls(job_id: str) -> UrlsBody:
    base = f"/jobs/{job_id}"
    names = tuple(name for name in UrlsBody.model_fields if name != "self")
    return UrlsBody(self=base, **{name: f"{base}/{_FILES.get(name, name)}" for name in names})


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
