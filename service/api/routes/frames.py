"""``GET /jobs/<id>/frames``: when each frame of a job appears."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from pathlib import Path

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from service.api.answers.download import CACHE
from service.api.answers.etag import tagged
from service.api.dependencies import DecodingSlots, Files, OwnJobs
from service.api.job_files import job_with_files
from service.api.openapi.responses import Responses, problems
from service.errors.job import JobNotFinished, JobNotFound, ResultExpired
from service.errors.storage import StorageError, StorageUnavailable
from service.errors.video import DamagedVideo, ProbeTimeout
from service.jobs.job import Job
from service.storage.store import FRAMES, SOURCE, Storage
from service.video.sandbox.frame_times import (
    FrameTimes,
    FrameTimesLimits,
    frame_times,
    times_from_json,
    times_to_json,
)

router = APIRouter(tags=["files"])

_FRAMES: Responses = {
    **problems(JobNotFound, JobNotFinished, ResultExpired, DamagedVideo, ProbeTimeout, StorageUnavailable),
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
async def get_frames(
    job_id: str, jobs: OwnJobs, storage: Files, slots: DecodingSlots, request: Request
) -> Response:
    """Tells when each frame appears, by its packets; answers 304 to an `If-None-Match` with the last `ETag`."""
    job = await run_sync(job_with_files, jobs, job_id)
    times = await _times(storage, job, slots)
    return await run_sync(_answer, request, job, times)


def _answer(request: Request, job: Job, times: FrameTimes) -> Response:
    restored = job.output.frames if job.output else len(times.result)
    body = FramesBody(job=job.id, source=list(times.source), result=list(times.result[:restored]))
    return tagged(request, body.model_dump_json().encode(), "application/json", CACHE)


async def _times(storage: Storage, job: Job, slots: asyncio.Semaphore) -> FrameTimes:
    """Reads the times from the video once, and keeps them beside it: they never change."""
    times = await run_sync(_kept, storage, job)
    if times is None:
        async with slots:
            times = await _read(storage, job)
        await run_sync(_keep, storage, job, times)
    return times


def _kept(storage: Storage, job: Job) -> FrameTimes | None:
    with suppress(FileNotFoundError), storage.reading(job.id, FRAMES) as file:
        return times_from_json(file.read_text("utf-8"))
    return None


def _keep(storage: Storage, job: Job, times: FrameTimes) -> None:
    """Does nothing where the job was removed meanwhile, or the storage takes no more: the next one reads them again."""
    with suppress(FileNotFoundError, StorageError), storage.writing(job.id, FRAMES) as file:
        file.write_text(times_to_json(times), "utf-8")


async def _read(storage: Storage, job: Job) -> FrameTimes:
    with ExitStack() as files:
        source = await run_sync(_opened, files, storage, job)
        return await frame_times(source, job.spec.video.excerpt, FrameTimesLimits())


def _opened(files: ExitStack, storage: Storage, job: Job) -> Path:
    try:
        return files.enter_context(storage.reading(job.id, SOURCE))
    except FileNotFoundError:
        raise JobNotFound(f"The files of job {job.id} were removed.") from None
