"""Jobs: submit, look at, list, cancel, retry, delete. Plain functions run in threads: Redis may wait."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.api.answers.bodies import JobBody, JobPageBody, job_body, job_page_body
from service.api.answers.etag import tagged
from service.api.dependencies import Parts
from service.api.openapi.form import MULTIPART, job_form
from service.api.openapi.responses import UPLOAD_REFUSALS, Responses, header_parameter, headers, problems
from service.api.submit import submit
from service.errors.job import JobNotFound, JobStateConflict
from service.errors.limit import QueueFull, RateLimited, StorageQuotaExceeded, TooManyJobs
from service.errors.submission import IdempotencyKeyReused, SubmissionInFlight
from service.errors.upload import UploadIncomplete, UploadNotFound
from service.errors.webhook import WebhookRefused
from service.jobs.job import JOB_ID, Job, JobStatus

router = APIRouter(tags=["jobs"])

POLL_S = range(1, 11)
"""Bounds of the Retry-After of a job that is not over: often at first, every ten seconds for a long one."""

_NO_ROOM = (RateLimited, TooManyJobs, QueueFull)
_NOT_FOUND = problems(JobNotFound)
_CONFLICT = problems(JobNotFound, JobStateConflict)
_REFUSED = problems(
    *UPLOAD_REFUSALS,
    UploadNotFound,
    UploadIncomplete,
    WebhookRefused,
    SubmissionInFlight,
    IdempotencyKeyReused,
    StorageQuotaExceeded,
    *_NO_ROOM,
)
_ACCEPTED: Responses = {
    202: {"headers": headers(Location="the job", Retry_After="seconds until it is worth asking")}
}
_SHOWN: Responses = {
    200: {"headers": headers(ETag="of this state", Retry_After="seconds; while the job runs")},
    304: {"description": "still as the `ETag` in `If-None-Match` says"},
}
_IF_NONE_MATCH = {"parameters": [header_parameter("If-None-Match", "an ETag that is known")]}
_SUBMISSION = {
    "parameters": [
        header_parameter(
            "Idempotency-Key", "sending this again gives the same job", maxLength=255, minLength=1
        )
    ],
    "requestBody": {"required": True, "content": {MULTIPART: {"schema": job_form()}}},
}


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobBody,
    responses={**_REFUSED, **_ACCEPTED},
    openapi_extra=_SUBMISSION,
)
async def submit_job(parts: Parts, request: Request) -> Response:
    """Send a video to be deblurred. With the header `Idempotency-Key`, sending it again gives the same job."""
    return _accepted(await submit(parts, request))


@router.get("/jobs", response_model=JobPageBody, responses=problems())
def list_jobs(
    parts: Parts,
    status: JobStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=f"^{JOB_ID.pattern}$")] = None,
) -> JobPageBody:
    """Jobs, newest first; `cursor` is the `next_cursor` of the page before."""
    return job_page_body(parts.store.page(status, limit, cursor))


@router.get(
    "/jobs/{job_id}",
    response_model=JobBody,
    responses={**_NOT_FOUND, **_SHOWN},
    openapi_extra=_IF_NONE_MATCH,
)
def show_job(job_id: str, parts: Parts, request: Request) -> Response:
    """A job's state and progress; answers 304 to an `If-None-Match` with the last `ETag`."""
    job = parts.store.get(job_id)
    return tagged(request, _body(job), "application/json", "no-cache", _retry_after(job))


@router.post(
    "/jobs/{job_id}/cancel", status_code=202, response_model=JobBody, responses={**_CONFLICT, **_ACCEPTED}
)
def cancel_job(job_id: str, parts: Parts) -> Response:
    """Cancel a queued or running job; what runs stops at the next window."""
    return _accepted(parts.store.cancel(job_id))


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    response_model=JobBody,
    responses={**problems(JobNotFound, JobStateConflict, *_NO_ROOM), **_ACCEPTED},
)
def retry_job(job_id: str, parts: Parts) -> Response:
    """Go on with a failed or canceled job from its finished segments."""
    job = parts.store.get(job_id)
    with parts.quotas.room(parts.caller.key) as room:
        parts.quotas.reserve(room, 0)
        steps = parts.store.retry(job.id)
    for step in steps:
        parts.queue.enqueue(job_id, step)
    return _accepted(parts.store.get(job_id))


@router.delete("/jobs/{job_id}", status_code=204, responses=_NOT_FOUND)
def delete_job(job_id: str, parts: Parts) -> None:
    """Remove a job and all of its files; a running one stops at the next window."""
    job = parts.store.get(job_id)
    parts.store.delete(job.id)
    parts.storage.delete(job.id)


def _accepted(job: Job) -> Response:
    told = {"Cache-Control": "no-cache", "Location": f"/jobs/{job.id}", **_retry_after(job)}
    return Response(_body(job), HTTPStatus.ACCEPTED, told, "application/json")


def _body(job: Job) -> bytes:
    return job_body(job).model_dump_json().encode()


def _retry_after(job: Job) -> dict[str, str]:
    return {"Retry-After": str(_poll_s(job))} if job.status.active else {}


def _poll_s(job: Job) -> int:
    """A twentieth of what is left: twenty polls are enough for any progress bar."""
    wanted = round((job.progress.eta_s or 0) / 20)
    return min(max(wanted, POLL_S.start), POLL_S.stop - 1)
