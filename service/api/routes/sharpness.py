"""``/jobs/<id>/sharpness``: the sharpness of every frame of a job, as far as it is restored."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.api.answers.download import CACHE
from service.api.answers.etag import tagged
from service.api.dependencies import Files, OwnJobs
from service.api.job_files import job_with_files
from service.api.openapi.responses import Responses, problems
from service.artifacts.curve import MEASURE, Curve, merged, read_curve
from service.errors.job import JobNotFinished, JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.jobs.job import Job
from service.storage.store import CURVE, Storage, curve_name

router = APIRouter(tags=["files"])

_CURVE: Responses = {
    **problems(JobNotFound, JobNotFinished, ResultExpired, StorageUnavailable),
    304: {"description": "Nothing changed since the `ETag` in `If-None-Match`."},
}

SEGMENTS_CACHED = 4096
"""Files of segments never change; a page that asks every few seconds reads each once."""


class SharpnessBody(BaseModel):
    """Values by frame number; null for a frame that is not restored yet."""

    job: str
    measure: str = Field(
        examples=[MEASURE], description="The measure, of the green channel, in squared 8-bit levels."
    )
    frames_total: int
    frames_measured: int
    complete: bool
    before: list[float | None]
    after: list[float | None]
    prior: list[float | None] = Field(
        description="The mean of the temporal sharpness prior of the input, in 0..1."
    )
    shots: list[int] = Field(
        examples=[[0, 48, 131]],
        description="The frame with which each shot begins, as far as they are restored. No frame is restored with "
        "the help of another shot's.",
    )


@router.get("/jobs/{job_id}/sharpness", response_model=SharpnessBody, responses=_CURVE)
def get_sharpness(job_id: str, jobs: OwnJobs, storage: Files, request: Request) -> Response:
    """Shows how sharp every frame was and became, so far; answers 304 to an `If-None-Match` with the last `ETag`."""
    job = job_with_files(jobs, job_id)
    body = _body(job, _curve(storage, job)).model_dump_json().encode()
    return tagged(request, body, "application/json", CACHE)


def _curve(storage: Storage, job: Job) -> Curve:
    whole = _read(storage, job.id, CURVE)
    if whole is not None:
        return whole
    pieces = (_piece(storage, job.id, curve_name(segment)) for segment in job.plan)
    return merged((curve for curve in pieces if curve), job.spec.video.frames)


def _piece(storage: Storage, job_id: str, name: str) -> Curve | None:
    with suppress(LookupError):
        return _cached(storage, job_id, name)  # type: ignore[arg-type]  # hashed by identity
    return None


@lru_cache(SEGMENTS_CACHED)
def _cached(storage: Storage, job_id: str, name: str) -> Curve:
    """Returns a segment's curve. Raises LookupError, which is not cached, for a segment that is still to do."""
    curve = _read(storage, job_id, name)
    if curve is None:
        raise LookupError(name)
    return curve


def _read(storage: Storage, job_id: str, name: str) -> Curve | None:
    with suppress(FileNotFoundError, ValueError), storage.reading(job_id, name) as file:
        return read_curve(file)
    return None


def _body(job: Job, curve: Curve) -> SharpnessBody:
    measured = sum(value is not None for value in curve.after)
    return SharpnessBody(
        job=job.id,
        measure=MEASURE,
        frames_total=job.spec.video.frames,
        frames_measured=measured,
        complete=measured == job.spec.video.frames,
        before=list(curve.before),
        after=list(curve.after),
        prior=list(curve.prior),
        shots=[0, *curve.cuts],
    )
