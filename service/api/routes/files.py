"""``/jobs/<id>/result``, ``source`` and ``report``: the files of a job."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path, PurePath

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from service.api.answers.download import answer_with, attachment
from service.api.answers.report_body import ReportBody
from service.api.dependencies import Exports, Files, Objects, OwnJobs, Waiter
from service.api.job_files import finished_job, job_with_files, with_video
from service.api.openapi.responses import BINARY, Responses, header_parameter, problems, response_headers
from service.api.waiting import Wait
from service.errors.job import ExportFailed, JobNotFinished, JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.jobs.job import Job
from service.storage.store import (
    REPORT,
    SIDE_BY_SIDE,
    SOURCE,
    DownloadHeaders,
    Storage,
    partial_name,
    result_name,
)
from service.transfers.media_types import MEDIA_TYPES, OTHER_MEDIA, media_type
from service.types import RemoteFile

router = APIRouter(tags=["files"])

_PROBLEMS = problems(JobNotFound, JobNotFinished, ResultExpired, StorageUnavailable)
_VIDEOS = {kind: {"schema": BINARY} for kind in (*dict.fromkeys(MEDIA_TYPES.values()), OTHER_MEDIA)}
_RANGES = {**_VIDEOS, "multipart/byteranges": {"schema": BINARY}}
EXPORT_POLL_S = 2
_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_PARTS: Responses = {
    200: {"description": "The whole file.", "content": _VIDEOS},
    206: {"description": "The ranges asked for.", "content": _RANGES},
    307: {"description": "The file is in an object store: ask there, with the same headers."},
    400: {"description": "The `Range` header is malformed.", "content": _TEXT},
    416: {"description": "The file does not reach the range.", "content": _TEXT},
}
_VIDEO: Responses = {**_PROBLEMS, **_PARTS}
_RANGE = {
    "parameters": [
        header_parameter(
            "Range", "Asks for a part, such as `bytes=0-1023`.", pattern=r"^bytes=\d{1,18}-\d{0,18}$"
        )
    ]
}


class ExportBody(BaseModel):
    """How far a video is that is being made."""

    frames_done: int
    frames_total: int
    fraction: float = Field(ge=0, le=1)


_SIDE_BY_SIDE: Responses = {
    **problems(JobNotFound, JobNotFinished, ResultExpired, ExportFailed, StorageUnavailable),
    **_PARTS,
    202: {
        "model": ExportBody,
        "description": "It is being made: ask again.",
        "headers": response_headers(Retry_After="Seconds until it is worth asking."),
    },
}


@router.head("/jobs/{job_id}/result", include_in_schema=False)
@router.get("/jobs/{job_id}/result", response_class=FileResponse, responses=_VIDEO, openapi_extra=_RANGE)
async def download_result(
    job_id: str, waiter: Waiter, storage: Files, objects: Objects, request: Request, wait: Wait = 0
) -> Response:
    """Returns the finished video, with `wait` as soon as there is one.

    With an object store that clients reach, it is a redirect to it there.
    """
    job = with_video(await waiter.ended(job_id, wait, request))
    container = job.spec.options.container
    name = f"{PurePath(job.spec.source.filename).stem}_deblurred.{container}"
    name_of = partial_name if job.output and job.output.partial else result_name
    headers = attachment(name, media_type(container))
    file = await run_sync(_stored, storage, job, name_of(container), headers)
    return await answer_with(file, headers, request, objects)


@router.head("/jobs/{job_id}/source", include_in_schema=False)
@router.get("/jobs/{job_id}/source", response_class=FileResponse, responses=_VIDEO, openapi_extra=_RANGE)
async def download_source(
    job_id: str, jobs: OwnJobs, storage: Files, objects: Objects, request: Request
) -> Response:
    """Returns the upload as it was sent."""
    job = await run_sync(job_with_files, jobs, job_id)
    headers = attachment(job.spec.source.filename, media_type(job.spec.video.container))
    file = await run_sync(_stored, storage, job, SOURCE, headers)
    return await answer_with(file, headers, request, objects)


@router.head("/jobs/{job_id}/side-by-side.mp4", include_in_schema=False)
@router.get(
    "/jobs/{job_id}/side-by-side.mp4",
    response_class=FileResponse,
    responses=_SIDE_BY_SIDE,
    openapi_extra=_RANGE,
)
async def download_side_by_side(
    job_id: str, jobs: OwnJobs, storage: Files, objects: Objects, exports: Exports, request: Request
) -> Response:
    """Returns upload and result beside each other in one video.

    A worker makes it when it is first asked for, after all other work; until it is there, the answer is 202.
    """
    job = await run_sync(finished_job, jobs, job_id)
    headers = attachment(f"{PurePath(job.spec.source.filename).stem}_side_by_side.mp4", "video/mp4")
    file = await run_sync(storage.find, job.id, SIDE_BY_SIDE, headers)
    if file is not None:
        return await answer_with(file, headers, request, objects)
    done = await run_sync(exports.ask, job.id)
    if done is None:
        raise ExportFailed(
            "The upload and its result make no video beside each other; the worker's log says why."
        )
    total = job.spec.video.frames
    body = ExportBody(frames_done=done, frames_total=total, fraction=round(done / total, 6))
    waiting = {"Retry-After": str(EXPORT_POLL_S), "Cache-Control": "no-store"}
    return Response(body.model_dump_json(), HTTPStatus.ACCEPTED, waiting, "application/json")


@router.get("/jobs/{job_id}/report", response_model=ReportBody, responses=_PROBLEMS)
async def get_report(
    job_id: str, jobs: OwnJobs, storage: Files, objects: Objects, request: Request
) -> Response:
    """Tells what was kept, what was lost, and with what the result was made."""
    job = await run_sync(finished_job, jobs, job_id)
    headers = DownloadHeaders("application/json", "inline")
    file = await run_sync(_stored, storage, job, REPORT, headers)
    return await answer_with(file, headers, request, objects)


def _stored(storage: Storage, job: Job, name: str, headers: DownloadHeaders) -> Path | RemoteFile:
    """Returns a file of a job. Raises JobNotFound and StorageUnavailable."""
    file = storage.find(job.id, name, headers)
    if file is None:
        raise JobNotFound(f"The files of job {job.id} were removed.")
    return file
