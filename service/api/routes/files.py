"""Files of jobs: the result, the upload, the report."""

from __future__ import annotations

from pathlib import PurePath

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from service.api.answers.download import answer, shown
from service.api.dependencies import Gateway, Parts
from service.api.openapi.responses import Responses, header_parameter, problems
from service.errors.job import JobNotFinished, JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.jobs.job import Job, JobStatus
from service.storage.store import REPORT, SOURCE, DownloadHeaders, partial_name, result_name

router = APIRouter(tags=["files"])

_MEDIA_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
}
_PROBLEMS = problems(JobNotFound, JobNotFinished, ResultExpired, StorageUnavailable)
_VIDEO: Responses = {
    **_PROBLEMS,
    200: {"description": "the whole file", "content": {"video/*": {}}},
    206: {"description": "the ranges asked for", "content": {"video/*": {}, "multipart/byteranges": {}}},
    307: {"description": "the file is in an object store: ask there, with the same headers"},
    400: {"description": "a `Range` header that is none", "content": {"text/plain": {}}},
    416: {"description": "the file does not reach the range", "content": {"text/plain": {}}},
}
_RANGE = {
    "parameters": [header_parameter("Range", "e.g. `bytes=0-1023`", pattern=r"^bytes=\d{1,18}-\d{0,18}$")]
}
_REPORT: Responses = {**_PROBLEMS, 200: {"content": {"application/json": {"schema": {"type": "object"}}}}}


@router.head("/jobs/{job_id}/result", include_in_schema=False)
@router.get("/jobs/{job_id}/result", response_class=FileResponse, responses=_VIDEO, openapi_extra=_RANGE)
async def download_result(job_id: str, parts: Parts, request: Request) -> Response:
    """The finished video; with an object store that clients reach, a redirect to it there."""
    job = await run_sync(_with_video, parts, job_id)
    container = job.spec.options.container
    name = f"{PurePath(job.spec.source.filename).stem}_deblurred.{container}"
    name_of = partial_name if job.output and job.output.partial else result_name
    what = shown(name, _media_type(container))
    return await _answer(parts, request, job, name_of(container), what)


@router.head("/jobs/{job_id}/source", include_in_schema=False)
@router.get("/jobs/{job_id}/source", response_class=FileResponse, responses=_VIDEO, openapi_extra=_RANGE)
async def download_source(job_id: str, parts: Parts, request: Request) -> Response:
    """The upload as it was sent."""
    job = await run_sync(parts.job_with_files, job_id)
    what = shown(job.spec.source.filename, _media_type(job.spec.video.container))
    return await _answer(parts, request, job, SOURCE, what)


@router.get("/jobs/{job_id}/report", responses=_REPORT)
async def show_report(job_id: str, parts: Parts, request: Request) -> Response:
    """What was kept, what was lost, and with what the result was made."""
    job = await run_sync(_finished, parts, job_id)
    return await _answer(parts, request, job, REPORT, DownloadHeaders("application/json", "inline"))


def _with_video(parts: Gateway, job_id: str) -> Job:
    """A job that has succeeded, or that was canceled and left its beginning."""
    job = parts.job_with_files(job_id)
    return job if job.status is JobStatus.CANCELED and job.output else _finished(parts, job_id)


def _finished(parts: Gateway, job_id: str) -> Job:
    job = parts.job_with_files(job_id)
    if job.status is not JobStatus.SUCCEEDED:
        raise JobNotFinished(f"the job is {job.status}; there is a result once it has succeeded")
    return job


async def _answer(parts: Gateway, request: Request, job: Job, name: str, what: DownloadHeaders) -> Response:
    file = await run_sync(parts.storage.find, job.id, name, what)
    if file is None:
        raise JobNotFound(f"the files of job {job.id} were removed")
    return await answer(request, file, what)


def _media_type(container: str) -> str:
    return _MEDIA_TYPES.get(container, "application/octet-stream")
