"""``/jobs``: submits, shows, lists, cancels, retries and deletes jobs.

Plain functions run in threads, because Redis may wait.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, suppress
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.api.answers.etag import tagged
from service.api.answers.job_bodies import JobBody, JobPageBody, job_body, job_page_body
from service.api.dependencies import (
    AdmittedCaller,
    Files,
    Limits,
    MaxUploadBytes,
    OwnJobs,
    OwnSubmitter,
    Queue,
    Waiter,
)
from service.api.job_files import poll_s
from service.api.openapi.form import MULTIPART, job_form, option_parameters
from service.api.openapi.responses import (
    REQUEST_HEADER,
    UPLOAD_REFUSALS,
    Responses,
    header_parameter,
    problems,
    response_headers,
)
from service.api.upload.body import entered
from service.api.upload.order import JSON, order_schema, received_order
from service.api.upload.receiving import counted_outcome, declared_length, received_upload
from service.api.waiting import LONGEST_WAIT_S, Wait, preferred_wait
from service.errors.job import JobNotFinished, JobNotFound, JobStateConflict, ResultExpired
from service.errors.limit import IntakeClosed, QueueFull, RateLimited, StorageQuotaExceeded, TooManyJobs
from service.errors.outbound import AddressRefused
from service.errors.pipeline import FidelityLost
from service.errors.storage import StorageUnavailable
from service.errors.submission import IdempotencyKeyReused, SubmissionInFlight
from service.errors.upload import UploadExpired, UploadIncomplete, UploadNotFound
from service.errors.webhook import WebhookRefused
from service.jobs.job import JOB_ID, Job, JobStatus

router = APIRouter(tags=["jobs"])

_NO_ROOM = (RateLimited, TooManyJobs, QueueFull, IntakeClosed)
_NOT_FOUND = problems(JobNotFound)
_CONFLICT = problems(JobNotFound, JobStateConflict)
_REFUSED = problems(
    *UPLOAD_REFUSALS,
    UploadNotFound,
    UploadExpired,
    UploadIncomplete,
    JobNotFound,
    JobNotFinished,
    ResultExpired,
    WebhookRefused,
    AddressRefused,
    FidelityLost,
    SubmissionInFlight,
    IdempotencyKeyReused,
    StorageQuotaExceeded,
    *_NO_ROOM,
)
_ACCEPTED: Responses = {
    202: {
        "headers": response_headers(
            Location="The address of the job.", Retry_After="Seconds until it is worth asking."
        )
    }
}
_SUBMITTED: Responses = {
    202: {
        "headers": {
            **_ACCEPTED[202]["headers"],
            **response_headers(Preference_Applied="The `wait` that was granted, if one was asked for."),
        }
    }
}
_STATE: Responses = {
    200: {"headers": response_headers(ETag="Names this state.", Retry_After="Seconds; while the job runs.")},
    304: {"description": "Nothing changed since the `ETag` in `If-None-Match`."},
}
_IF_NONE_MATCH = {"parameters": [header_parameter("If-None-Match", "An ETag that the client knows.")]}
_SUBMISSION = {
    "parameters": [
        header_parameter(
            "Idempotency-Key", "Sending this again gives the same job.", maxLength=255, minLength=1
        ),
        header_parameter(
            "Prefer",
            f"`wait=N` answers when the job has ended, after N seconds at the latest, {LONGEST_WAIT_S} at most.",
            examples=["wait=30"],
        ),
        REQUEST_HEADER,
        *option_parameters(),
    ],
    "requestBody": {
        "required": True,
        "content": {MULTIPART: {"schema": job_form()}, JSON: {"schema": order_schema()}},
    },
}


@router.post(
    "/jobs",
    status_code=202,
    response_model=JobBody,
    responses={**_REFUSED, **_SUBMITTED},
    openapi_extra=_SUBMISSION,
)
async def create_job(
    submitter: OwnSubmitter, storage: Files, max_bytes: MaxUploadBytes, waiter: Waiter, request: Request
) -> Response:
    """Takes a video to be deblurred: in a form, or as JSON with the `input_url` from which a worker fetches it.

    With the header `Idempotency-Key`, sending it again gives the same job.
    With `Prefer: wait=N` the answer comes as soon as the job has ended, and after N seconds at the latest.
    """
    key = submitter.idempotency_key(request.headers.get("idempotency-key"))
    with counted_outcome():
        async with (
            entered(submitter.room(key, _video_bytes(request)), request) as room,
            AsyncExitStack() as stack,
        ):
            if _is_order(request):
                job = await submitter.submit_order(await received_order(request), room, key)
            else:
                upload = received_upload(request, storage, max_bytes, submitter.check_form)
                job = await submitter.submit(await stack.enter_async_context(upload), room, key)
    seconds = preferred_wait(request)
    if seconds is None:
        return _accepted(job)
    answer = _accepted(await waiter.ended(job.id, seconds, request))
    answer.headers["Preference-Applied"] = f"wait={seconds}"
    return answer


@router.get("/jobs", response_model=JobPageBody, responses=problems())
def list_jobs(
    jobs: OwnJobs,
    status: JobStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(pattern=f"^{JOB_ID.pattern}$")] = None,
    name: Annotated[
        str | None, Query(min_length=1, max_length=255, description="A part of the file's name.")
    ] = None,
    preview: Annotated[bool | None, Query(description="Only previews, or all but previews.")] = None,
) -> JobPageBody:
    """Lists jobs, newest first; `cursor` is the `next_cursor` of the page before.

    With `name` or `preview`, a page may have fewer jobs than `limit`, or none, and still a `next_cursor`.
    """
    wanted = None if name is None and preview is None else partial(_matches, name, preview)
    return job_page_body(jobs.page(status, limit, cursor, wanted))


@router.get(
    "/jobs/{job_id}",
    response_model=JobBody,
    responses={**_NOT_FOUND, **_STATE},
    openapi_extra=_IF_NONE_MATCH,
)
async def get_job(job_id: str, waiter: Waiter, request: Request, wait: Wait = 0) -> Response:
    """Shows a job's state and progress, with `wait` as soon as it has ended.

    Answers 304 to an `If-None-Match` with the last `ETag`.
    """
    job = await waiter.ended(job_id, wait, request)
    return tagged(request, _body(job), "application/json", "no-cache", _retry_after(job))


@router.post(
    "/jobs/{job_id}/cancel", status_code=202, response_model=JobBody, responses={**_CONFLICT, **_ACCEPTED}
)
def cancel_job(job_id: str, jobs: OwnJobs) -> Response:
    """Cancels a queued or running job; what runs stops at the next window."""
    return _accepted(jobs.cancel(job_id))


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    response_model=JobBody,
    responses={**problems(JobNotFound, JobStateConflict, *_NO_ROOM), **_ACCEPTED},
)
def retry_job(job_id: str, jobs: OwnJobs, queue: Queue, limits: Limits, caller: AdmittedCaller) -> Response:
    """Goes on with a failed or canceled job from its finished segments."""
    job = jobs.get(job_id)
    with limits.room(caller.key) as room:
        limits.reserve(room, 0)
        steps = jobs.retry(job.id)
    for step in steps:
        queue.enqueue(job_id, step)
    return _accepted(jobs.get(job_id))


@router.delete(
    "/jobs/{job_id}",
    status_code=204,
    response_class=Response,
    responses=problems(JobNotFound, StorageUnavailable),
)
def delete_job(job_id: str, jobs: OwnJobs, storage: Files) -> None:
    """Removes a job and all of its files; a running one stops at the next window.

    Where the files cannot be removed now, the job stays as it is, and the same call may succeed later.
    """
    job = jobs.get(job_id)
    storage.delete(job.id)  # before the record: without it nobody would find the files
    jobs.delete(job.id)
    with suppress(StorageUnavailable):
        storage.delete(job.id)  # what a worker wrote until it noticed; a sweep finds the rest


def _matches(name: str | None, preview: bool | None, job: Job) -> bool:
    named = name is None or name.casefold() in job.spec.source.filename.casefold()
    return named and preview in (None, job.spec.preview)


def _is_order(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith(JSON)


def _video_bytes(request: Request) -> int:
    """Returns about how many bytes the video has, 0 where that is not known yet."""
    return 0 if _is_order(request) else declared_length(request)


def _accepted(job: Job) -> Response:
    headers = {"Cache-Control": "no-cache", "Location": f"/jobs/{job.id}", **_retry_after(job)}
    return Response(_body(job), HTTPStatus.ACCEPTED, headers, "application/json")


def _body(job: Job) -> bytes:
    return job_body(job).model_dump_json().encode()


def _retry_after(job: Job) -> dict[str, str]:
    seconds = poll_s(job)
    return {} if seconds is None else {"Retry-After": str(seconds)}
