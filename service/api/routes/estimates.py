"""``/estimates``: what a video would take, before anybody commits to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.api.answers.finding_bodies import FindingBody, finding_bodies
from service.api.dependencies import AdmittedCaller, Estimates, Files, MaxUploadBytes, Rules
from service.api.openapi.form import MULTIPART, estimate_form
from service.api.openapi.responses import REQUEST_HEADER, UPLOAD_REFUSALS, problems
from service.api.upload.json_body import json_body
from service.api.upload.receiving import received_upload
from service.encoding.choice import pixels_of
from service.encoding.pixels import Pixels
from service.errors.engine import ModelNotFound
from service.errors.limit import RateLimited
from service.estimates.estimate import Estimator
from service.estimates.turns_before import Claimant
from service.estimates.workload import Workload
from service.findings import Finding, lost
from service.memory.coding import coding
from service.model_catalog import ModelCard
from service.options import EncodingRequest, JobOptions, RestorationOptions
from service.quality import Quality
from service.submission.chooser import Chooser
from service.submission.received import ReceivedUpload
from service.submission.rules import SubmissionRules
from service.types import MIN_SIDE, EncodeOptions

router = APIRouter(tags=["jobs"])

_SIDE = Field(ge=MIN_SIDE, le=16384, examples=[1280])


class EstimateRequest(EncodingRequest, RestorationOptions):
    """A video in figures: its size, and either `frames`, or `duration_s` and `fps`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    width: int = _SIDE
    height: int = _SIDE
    frames: int | None = Field(None, ge=1, le=10_000_000, examples=[240])
    duration_s: float | None = Field(None, gt=0, le=1e6)
    fps: float | None = Field(None, gt=0, le=1000)
    bytes: int | None = Field(
        None, ge=0, le=1 << 50, description="Bytes of the file, for the disk that it takes."
    )

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.frames is None and (self.duration_s is None or self.fps is None):
            raise ValueError("Give frames, or duration_s and fps.")
        return self

    @property
    def frame_rate(self) -> float | None:
        """Frames per second; None where neither the rate nor the duration is given."""
        if self.fps is None and self.frames is not None and self.duration_s is not None:
            return self.frames / self.duration_s
        return self.fps

    @property
    def frame_count(self) -> int:
        return self.frames or max(1, round((self.duration_s or 0) * (self.fps or 0)))


class EstimateBody(BaseModel):
    """What a video would take; null stands for what was never measured on this installation."""

    model: str = Field(examples=["cdvd_lite"])
    looks: int = Field(description="How many times every frame would be restored.")
    quality: Quality | None = Field(description="The quality that chose model and looks, if one did.")
    frames: int
    seconds: float | None = Field(description="Seconds from submission until the result is there.")
    waiting_s: float | None = Field(
        description="Of these, until the jobs whose turn is before it are restored."
    )
    restoring_s: float | None = Field(description="Of these, for the video itself.")
    memory_bytes: int | None = Field(description="Bytes that a worker takes at its peak.")
    disk_bytes: int | None = Field(
        description="Bytes at most: the upload, its restored segments and the result."
    )
    basis: str = Field(
        examples=["measured"], description="`measured` on this installation, or `none` before its first job."
    )
    findings: list[FindingBody] | None = Field(
        description="What the result would keep, change and lack of a video that was sent; null for a description."
    )
    losses: list[str] | None = Field(
        description="Of these a sentence for each loss; `strict` would refuse the job."
    )


_BODY = {
    "parameters": [REQUEST_HEADER],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": EstimateRequest.model_json_schema()},
            MULTIPART: {"schema": estimate_form()},
        },
    },
}


@router.post(
    "/estimates",
    response_model=EstimateBody,
    responses=problems(*UPLOAD_REFUSALS, ModelNotFound, RateLimited),
    openapi_extra=_BODY,
)
async def create_estimate(
    rules: Rules,
    estimator: Estimates,
    storage: Files,
    max_bytes: MaxUploadBytes,
    caller: AdmittedCaller,
    request: Request,
) -> EstimateBody:
    """Tells what a video would take in time, memory and disk: described as JSON, or sent, probed and forgotten."""
    if request.headers.get("content-type", "").startswith(MULTIPART):
        async with received_upload(request, storage, max_bytes) as received:
            work = await _of_upload(received, rules)
    else:
        work = await run_sync(_of_description, await json_body(request, EstimateRequest), rules)
    return await run_sync(_body, work, estimator, Claimant(caller.tenant))


@dataclass(frozen=True)
class _Work:
    """A video to be restored, and what of it takes memory and disk."""

    video: Workload
    model: ModelCard
    quality: Quality | None
    encode: EncodeOptions
    size: int | None
    """Bytes of the upload, if they are known."""
    findings: tuple[Finding, ...] | None = None
    """What the result would keep and lack; None where there is no video to look at."""


async def _of_upload(received: ReceivedUpload, rules: SubmissionRules) -> _Work:
    options = JobOptions.from_text(received.fields)
    await run_sync(rules.chooser.check, options)
    info = await rules.look_at(received, options)
    frame = _Frames(info.width, info.height, info.frames, info.fps)
    encode = options.encode(info)
    work = await run_sync(_work, frame, encode, options, rules.chooser, received.upload.size, pixels_of(info))
    return replace(work, findings=info.findings)


def _of_description(asked: EstimateRequest, rules: SubmissionRules) -> _Work:
    frames = _Frames(asked.width, asked.height, asked.frame_count, asked.frame_rate)
    return _work(frames, asked.encode(), asked, rules.chooser, asked.bytes)


_PLAIN = Pixels()


@dataclass(frozen=True)
class _Frames:
    """The frames of a video: their size in pixels, how many, and how many in a second, if that is known."""

    width: int
    height: int
    count: int
    rate: float | None


def _work(
    frames: _Frames,
    encode: EncodeOptions,
    options: RestorationOptions,
    chooser: Chooser,
    size: int | None,
    pixels: Pixels = _PLAIN,
) -> _Work:
    """Raises ModelNotFound and BrokerUnavailable."""
    speed = frames.width * frames.height * frames.rate if frames.rate else None
    choice = chooser.choose(options, speed)
    card = chooser.catalog.require(choice.model)
    how = coding(encode, pixels)
    video = Workload(choice.model, frames.width, frames.height, frames.count, choice.looks, card.cost, how)
    return _Work(video, card, choice.quality, encode, size)


def _body(work: _Work, estimator: Estimator, claimant: Claimant) -> EstimateBody:
    video = work.video
    expected = estimator.estimate(video, claimant)
    return EstimateBody(
        model=video.model,
        looks=video.looks,
        quality=work.quality,
        frames=video.frames,
        seconds=_rounded(expected.seconds),
        waiting_s=_rounded(expected.waiting_s),
        restoring_s=_rounded(expected.restoring_s),
        memory_bytes=estimator.memory(video, work.model),
        disk_bytes=_disk_bytes(work, estimator),
        basis="none" if expected.restoring_s is None else "measured",
        findings=None if work.findings is None else finding_bodies(work.findings),
        losses=None if work.findings is None else list(lost(work.findings)),
    )


def _disk_bytes(work: _Work, estimator: Estimator) -> int | None:
    """Counts the upload, its restored segments and the result, which lie side by side while they are joined."""
    density = estimator.throughput.bytes_per_pixel(work.encode)
    if density is None or work.size is None:
        return None
    return round(work.size + 2 * density * work.video.pixels)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
