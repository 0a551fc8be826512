"""``GET /jobs/<id>/frames``: when each frame of a job appears."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.api.answers.download import CACHE
from service.api.answers.etag import tagged
from service.api.dependencies import Gateway, Parts
from service.api.openapi.responses import Responses, problems
from service.errors.job import JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.errors.video import DamagedVideo, ProbeTimeout
from service.jobs.job import Job
from service.storage.store import SOURCE
from service.video.sandbox.frame_times import FrameTimes, FrameTimesLimits, frame_times

router = APIRouter(tags=["files"])

_FRAMES: Responses = {
    **problems(JobNotFound, ResultExpired, DamagedVideo, ProbeTimeout, StorageUnavailable),
    304: {"description": "still as the `ETag` in `If-None-Match` says"},
}


class FramesBody(BaseModel):
    """Times by frame number, in seconds."""

    job: str
    source: list[float] = Field(description="when each frame appears in the upload")
    result: list[float] = Field(
        description="when each frame appears in the result; fewer frames where a canceled job left a beginning"
    )


@router.get("/jobs/{job_id}/frames", response_model=FramesBody, responses=_FRAMES)
async def show_frames(job_id: str, parts: Parts, request: Request) -> Response:
    """When each frame appears, from the video's packets; answers 304 to an `If-None-Match` with the last `ETag`."""
    job = await run_sync(parts.job_with_files, job_id)
    times = await _times(parts, job)
    restored = job.output.frames if job.output else len(times.result)
    body = FramesBody(job=job.id, source=list(times.source), result=list(times.result[:restored]))
    return tagged(request, body.model_dump_json().encode(), "application/json", CACHE)


async def _times(parts: Gateway, job: Job) -> FrameTimes:
    async with parts.previews:
        with ExitStack() as files:
            source = await run_sync(_opened, files, parts, job)
            return await frame_times(source, job.spec.video.excerpt, FrameTimesLimits())


def _opened(files: ExitStack, parts: Gateway, job: Job) -> Path:
    try:
        return files.enter_context(parts.storage.reading(job.id, SOURCE))
    except FileNotFoundError:
        raise JobNotFound(f"The files of job {job.id} were removed.") from None
