"""``POST /estimates``: what a video would take, before anybody commits to it."""

from __future__ import annotations

from typing import Self

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from service.api.dependencies import Gateway, Parts
from service.api.openapi.form import MULTIPART, estimate_form
from service.api.openapi.responses import UPLOAD_REFUSALS, problems
from service.api.upload.receiving import received_upload
from service.errors.engine import ModelNotFound
from service.errors.limit import RateLimited
from service.errors.upload import MalformedRequest
from service.estimates.estimate import Workload
from service.options import EncodingOptions, JobOptions
from service.types import MIN_SIDE, EncodeOptions
from service.video.sandbox.probe import probe

router = APIRouter(tags=["jobs"])

MAX_BODY_BYTES = 16 << 10
_SIDE = Field(ge=MIN_SIDE, le=16384, examples=[1280])


class EstimateRequest(EncodingOptions):
    """A video in figures: how many frames, or how long at which rate."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"anyOf": [{"required": ["frames"]}, {"required": ["duration_s", "fps"]}]},
    )

    width: int = _SIDE
    height: int = _SIDE
    frames: int | None = Field(None, ge=1, le=10_000_000, examples=[240])
    duration_s: float | None = Field(None, gt=0, le=1e6)
    fps: float | None = Field(None, gt=0, le=1000)
    bytes: int | None = Field(None, ge=0, le=1 << 50, description="of the file, for the disk that it takes")
    model: str | None = None

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.frames is None and (self.duration_s is None or self.fps is None):
            raise ValueError("give frames, or duration_s and fps")
        return self

    @property
    def frame_count(self) -> int:
        return self.frames or max(1, round((self.duration_s or 0) * (self.fps or 0)))


class EstimateBody(BaseModel):
    """Null is what nothing measured on this installation tells yet."""

    model: str = Field(examples=["cdvd_lite"])
    frames: int
    seconds: float | None = Field(description="from submission until the result is there")
    waiting_s: float | None = Field(description="of that, until the jobs before it are restored")
    restoring_s: float | None
    memory_bytes: int | None = Field(description="of a worker, for the windows of one segment")
    disk_bytes: int | None = Field(description="at most: the upload, its restored segments and the result")
    basis: str = Field(examples=["measured"], description="measured: by this installation; none: no job yet")


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": EstimateRequest.model_json_schema()},
            MULTIPART: {"schema": estimate_form()},
        },
    }
}


@router.post(
    "/estimates",
    response_model=EstimateBody,
    responses=problems(*UPLOAD_REFUSALS, ModelNotFound, RateLimited),
    openapi_extra=_BODY,
)
async def estimate(parts: Parts, request: Request) -> EstimateBody:
    """What a video would take in time, memory and disk: described as JSON, or sent, looked at and forgotten."""
    if request.headers.get("content-type", "").startswith(MULTIPART):
        return await _of_upload(parts, request)
    asked = await _described(request)
    model = parts.catalog.require(asked.model or parts.default_model).name
    video = Workload(model, asked.width, asked.height, asked.frame_count)
    return await run_sync(_answer, parts, video, asked.bytes, asked.encode())


async def _of_upload(parts: Gateway, request: Request) -> EstimateBody:
    async with received_upload(request, parts.storage, parts.limits.max_bytes) as received:
        options = JobOptions.from_text(received.fields)
        model = parts.catalog.require(options.model or parts.default_model).name
        info = await probe(received.upload.contents(), parts.limits.probe, options.excerpt)
        size = received.upload.size
    video = Workload(model, info.width, info.height, info.frames)
    return await run_sync(_answer, parts, video, size, options.encode())


async def _described(request: Request) -> EstimateRequest:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY_BYTES:
            raise MalformedRequest(f"a description has at most {MAX_BODY_BYTES} bytes")
    try:
        return EstimateRequest.model_validate_json(bytes(data))
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_context=False)) from error


def _answer(parts: Gateway, video: Workload, size: int | None, encode: EncodeOptions) -> EstimateBody:
    found = parts.estimator.estimate(video)
    density = parts.estimator.throughput.bytes_per_pixel(encode.codec, encode.crf)
    return EstimateBody(
        model=video.model,
        frames=video.frames,
        seconds=_rounded(found.seconds),
        waiting_s=_rounded(found.waiting_s),
        restoring_s=_rounded(found.restoring_s),
        memory_bytes=_memory(parts, video),
        disk_bytes=None if density is None or size is None else round(size + 2 * density * video.pixels),
        basis="none" if found.restoring_s is None else "measured",
    )


def _memory(parts: Gateway, video: Workload) -> int | None:
    memory = parts.catalog.require(video.model).memory
    return parts.estimator.memory(video, memory) if memory else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
