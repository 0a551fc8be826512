"""``GET /jobs/<id>/frames``: when each frame of a job appears."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.api.answers.download import CACHE
from service.api.answers.etag import tagged
from service.api.dependencies import DecodingSlots, Files, OwnJobs
from service.api.job_files import job_with_files
from service.api.openapi.responses import Responses, problems
from service.errors.job import JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.errors.video import DamagedVideo, ProbeTimeout
from service.jobs.job import Job
from service.storage.store import SOURCE, Storage
from service.video.sandbox.frame_times import FrameTimes, FrameTimesLimits, frame_times

router = APIRouter(tags=["files"])

_FRAMES: Responses = {
    **problems(JobNotFound, ResultExpired, DamagedVideo, ProbeTimeout, StorageUnavailable),
    304: {"description": "Nothing changed since the `ETag` in `If-None-Match`."},
}


class FramesBody(BaseModel):
    """Times by frame number, in seconds."""

    job: str
    source: list[float] = Field(description="When each frame appears in the upload.")
    result: list[float] = Field(
        description="When each frame appears in the result; fewer frames where a canceled job left a beginning."
    )


@router.get("/jobs/{job_id}/frames", response_model=FramesBody, responses=_FRAMES)
async def show_frames(
    job_id: str, jobs: OwnJobs, storage: Files, slots: DecodingSlots, request: Request
) -> Response:
    """Tells when each frame appears, by its packets; answers 304 to an `If-None-Match` with the last `ETag`."""
    job = await run_sync(job_with_files, jobs, job_id)
    async with slots:
        times = await _times(storage, job)
    restored = job.output.frames if job.output else len(times.result)
    body = FramesBody(job=job.id, source=list(times.source), result=list(times.result[:restored]))
    return tagged(request, body.model_dump_json().encode(), "application/json", CACHE)


async def _times(storage: Storage, job: Job) -> FrameTimes:
    with ExitStack() as files:
        source = await run_sync(_opened, files, storage, job)
        return await frame_times(source, job.spec.video.excerpt, FrameTimesLimits())


def _opened(files: ExitStack, storage: Storage, job: Job) -> Path:
    try:
        return files.enter_context(storage.reading(job.id, SOURCE))
    except FileNotFoundError:
        raise JobNotFound(f"The files of job {job.id} were removed.") from None
