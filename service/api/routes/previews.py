"""``GET /jobs/<id>/preview/<frame>.jpg``: one frame as a picture, before, after, beside each other, or its prior."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from enum import StrEnum
from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter

from service.api.answers.download import CACHE
from service.api.answers.etag import tagged
from service.api.dependencies import Gateway, Parts
from service.api.openapi.responses import Responses, problems
from service.artifacts.heat_maps import read_picture
from service.errors.job import FrameNotFound, FrameNotRestored, JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.errors.video import DamagedVideo, ProbeTimeout
from service.jobs.job import Job
from service.metrics import PREVIEW_SECONDS
from service.storage.store import (
    HEAT_MAPS,
    SOURCE,
    heat_maps_name,
    piece_name,
    result_name,
)
from service.types import Segment
from service.video.sandbox.preview import PreviewLimits, Shot, preview

router = APIRouter(tags=["files"])

_PICTURE: Responses = {
    **problems(
        JobNotFound,
        FrameNotFound,
        FrameNotRestored,
        ResultExpired,
        DamagedVideo,
        ProbeTimeout,
        StorageUnavailable,
    ),
    200: {"content": {"image/jpeg": {}}},
    304: {"description": "still as the `ETag` in `If-None-Match` says"},
}


class View(StrEnum):
    """What a preview shows."""

    BEFORE = "before"
    AFTER = "after"
    SIDE = "side"
    PRIOR = "prior"


@router.get("/jobs/{job_id}/preview/{frame}.jpg", response_class=Response, responses=_PICTURE)
async def show_preview(
    job_id: str,
    frame: Annotated[int, PathParameter(ge=0, description="in order of presentation, from 0")],
    parts: Parts,
    request: Request,
    view: Annotated[
        View, Query(description="`side`: before and after; `prior`: bright where the frame is sharp")
    ] = View.AFTER,
) -> Response:
    """A frame upright, at most 1280 pixels long; `after`, `side` and `prior` once its segment is restored."""
    job = await run_sync(parts.job_with_files, job_id)
    if frame >= job.spec.video.frames:
        raise FrameNotFound(f"the video has frames 0 to {job.spec.video.frames - 1}")
    with PREVIEW_SECONDS.time():
        if view is View.PRIOR:
            picture = await run_sync(_heat_map, parts, job, frame)
        else:
            picture = await _decoded(parts, job, frame, view)
    return tagged(request, picture, "image/jpeg", CACHE)


async def _decoded(parts: Gateway, job: Job, frame: int, view: View) -> bytes:
    async with parts.previews:
        with ExitStack() as files:
            shots = await run_sync(_shots, files, parts, job, frame, view)
            return await preview(shots, PreviewLimits())


def _shots(files: ExitStack, parts: Gateway, job: Job, frame: int, view: View) -> list[Shot]:
    shots, excerpt = [], job.spec.video.excerpt
    if view is not View.AFTER:
        shots.append(Shot(files.enter_context(parts.storage.reading(job.id, SOURCE)), frame, excerpt))
    if view is not View.BEFORE:
        shots.append(_restored(files, parts, job, frame))
    return shots


def _restored(files: ExitStack, parts: Gateway, job: Job, frame: int) -> Shot:
    """From the result, or from the piece of its segment where there is none yet."""
    names = [(result_name(job.spec.options.container), frame)]
    names += [(piece_name(one), frame - one.start) for one in _segment(job, frame)]
    for name, number in names:
        with suppress(FileNotFoundError):
            return Shot(files.enter_context(parts.storage.reading(job.id, name)), number)
    raise FrameNotRestored(f"frame {frame} is not restored yet")


def _heat_map(parts: Gateway, job: Job, frame: int) -> bytes:
    for name in (HEAT_MAPS, *map(heat_maps_name, _segment(job, frame))):
        with suppress(FileNotFoundError, KeyError), parts.storage.reading(job.id, name) as file:
            return read_picture(file, frame)
    raise FrameNotRestored(f"there is no prior of frame {frame} yet")


def _segment(job: Job, frame: int) -> list[Segment]:
    """The one that holds the frame; none before the plan is made."""
    return [one for one in job.plan if one.start <= frame < one.stop]
