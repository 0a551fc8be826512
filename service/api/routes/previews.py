"""``/jobs/<id>/preview/<frame>.jpg``: one frame as a picture, before, after, beside each other, or its prior."""

from __future__ import annotations

from typing import Annotated

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter

from service.api.answers.download import CACHE
from service.api.answers.etag import tagged
from service.api.dependencies import OwnJobs, Pictures
from service.api.job_files import job_with_files
from service.api.openapi.responses import BINARY, Responses, problems, response_headers
from service.artifacts.newest_pictures import View
from service.errors.job import FrameNotFound, FrameNotRestored, JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.errors.video import DamagedVideo, ProbeTimeout

router = APIRouter(tags=["files"])

WhichView = Annotated[
    View, Query(description="`side`: before and after; `prior`: bright where the frame is sharp.")
]

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
    200: {"description": "The picture.", "content": {"image/jpeg": {"schema": BINARY}}},
    304: {"description": "Nothing changed since the `ETag` in `If-None-Match`."},
}
_NEWEST: Responses = {
    **_PICTURE,
    200: {
        **_PICTURE[200],
        "headers": response_headers(Content_Location="The address of the picture of this very frame."),
    },
}


@router.get("/jobs/{job_id}/preview/newest.jpg", response_class=Response, responses=_NEWEST)
async def get_newest_preview(
    job_id: str, jobs: OwnJobs, pictures: Pictures, request: Request, view: WhichView = View.AFTER
) -> Response:
    """Shows the newest restored frame, also in the midst of a segment; `Content-Location` tells which one it is."""
    job = await run_sync(job_with_files, jobs, job_id)
    frame, picture = await pictures.newest(job, view)
    where = {"Content-Location": f"/jobs/{job.id}/preview/{frame}.jpg?view={view}"}
    return tagged(request, picture, "image/jpeg", CACHE, where)


@router.get("/jobs/{job_id}/preview/{frame}.jpg", response_class=Response, responses=_PICTURE)
async def get_preview(
    job_id: str,
    frame: Annotated[
        int, PathParameter(ge=0, description="The number of the frame in order of presentation, from 0.")
    ],
    jobs: OwnJobs,
    pictures: Pictures,
    request: Request,
    view: WhichView = View.AFTER,
) -> Response:
    """Shows a frame upright, at most 1280 pixels long; `after`, `side` and `prior` once its segment is restored."""
    job = await run_sync(job_with_files, jobs, job_id)
    if frame >= job.spec.video.frames:
        raise FrameNotFound(f"The video has frames 0 to {job.spec.video.frames - 1}.")
    picture = await pictures.picture(job, frame, view)
    return tagged(request, picture, "image/jpeg", CACHE)
