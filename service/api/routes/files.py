"""Files of jobs: the result, the upload, the report. Ranges and HEAD are the framework's FileResponse's."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from service.api.dependencies import Parts
from service.api.schemas import ProblemBody
from service.errors import JobNotFinished, JobNotFound
from service.jobs.job import Job, JobStatus

router = APIRouter(tags=["files"])

_MEDIA_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "mpegts": "video/mp2t",
}
_PROBLEMS: dict[int | str, dict[str, Any]] = {404: {"model": ProblemBody}, 409: {"model": ProblemBody}}
_VIDEO: dict[int | str, dict[str, Any]] = {**_PROBLEMS, 200: {"content": {"video/mp4": {}}}, 206: {}}


@router.head("/jobs/{job_id}/result", include_in_schema=False)
@router.get("/jobs/{job_id}/result", response_class=FileResponse, responses=_VIDEO)
def download_result(job_id: str, parts: Parts) -> FileResponse:
    """The finished video."""
    job = parts.store.get(job_id)
    container = job.spec.options.container
    path = _finished(job, parts.storage.result(job.id, container))
    name = f"{PurePath(job.spec.source.filename).stem}_deblurred.{container}"
    return _file(path, name, container)


@router.head("/jobs/{job_id}/source", include_in_schema=False)
@router.get("/jobs/{job_id}/source", response_class=FileResponse, responses=_VIDEO)
def download_source(job_id: str, parts: Parts) -> FileResponse:
    """The upload as it was sent."""
    job = parts.store.get(job_id)
    path = parts.storage.source(job.id)
    if not path.is_file():
        raise JobNotFound(f"the files of job {job.id} were removed")
    return _file(path, job.spec.source.filename, job.spec.video.container)


@router.get("/jobs/{job_id}/report", responses=_PROBLEMS)
def show_report(job_id: str, parts: Parts) -> Response:
    """What was kept, what was lost, and with what the result was made."""
    job = parts.store.get(job_id)
    path = _finished(job, parts.storage.report(job.id))
    return Response(path.read_bytes(), media_type="application/json")


def _finished(job: Job, path: Path) -> Path:
    if job.status is not JobStatus.SUCCEEDED:
        raise JobNotFinished(f"the job is {job.status}; there is a result once it has succeeded")
    if not path.is_file():
        raise JobNotFound(f"the files of job {job.id} were removed")
    return path


def _file(path: Path, name: str, container: str) -> FileResponse:
    media_type = _MEDIA_TYPES.get(container, "application/octet-stream")
    headers = {"Cache-Control": "private, no-cache"}
    return FileResponse(path, media_type=media_type, filename=name, headers=headers, stat_result=path.stat())
