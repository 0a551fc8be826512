"""``/jobs/<id>/preview/<frame>.jpg``: one frame as a picture, before, after, beside each other, or its prior."""

from __future__ import annotations

from typing import Annotated, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as PathParameter

from service.api.answers.download import CACHE
from service.api.answers.etag import tagged
from service.api.dependencies import OwnJobs, Pictures, PosterMaker
from service.api.job_files import job_with_files
from service.api.openapi.responses import BINARY, Responses, problems, response_headers
from service.artifacts.newest_pictures import View
from service.errors.job import FrameNotFound, FrameNotRestored, JobNotFinished, JobNotFound, ResultExpired
from service.errors.storage import StorageUnavailable
from service.errors.video import DamagedVideo, ProbeTimeout
from service.jobs.job import Job

router = APIRouter(tags=["files"])

FOREVER = "private, max-age=31536000, immutable"
"""An upload never changes, and no other job gets its address."""
PosterWidth = Literal["160", "320", "640", "1280"]

Frame = Annotated[
    int, PathParameter(ge=0, description="The number of the frame in order of presentation, from 0.")
]
WhichView = Annotated[
    View, Query(description="`side`: before and after; `prior`: bright where the frame is sharp.")
]
WhichStill = Annotated[
    Literal["before", "after", "side"],  # the prior is a small picture, not one of the video's size
    Query(title="Still view", description="Before, after, or both beside each other."),
]

_PICTURE: Responses = {
    **problems(
        JobNotFound,
        JobNotFinished,
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

_STILL: Responses = {
    **_PICTURE,
    200: {"description": "The picture.", "content": {"image/png": {"schema": BINARY}}},
}
_SMALL: Responses = {
    **problems(JobNotFound, JobNotFinished, ResultExpired, DamagedVideo, ProbeTimeout, StorageUnavailable),
    200: _PICTURE[200],
    304: _PICTURE[304],
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
    frame: Frame,
    jobs: OwnJobs,
    pictures: Pictures,
    request: Request,
    view: WhichView = View.AFTER,
) -> Response:
    """Shows a frame upright, at most 1280 pixels long; `after`, `side` and `prior` once its segment is restored."""
    job = await run_sync(job_with_files, jobs, job_id)
    _check_frame(job, frame)
    picture = await pictures.picture(job, frame, view)
    return tagged(request, picture, "image/jpeg", CACHE)


@router.get("/jobs/{job_id}/preview/{frame}.png", response_class=Response, responses=_STILL)
async def get_still(
    job_id: str,
    frame: Frame,
    jobs: OwnJobs,
    pictures: Pictures,
    request: Request,
    view: WhichStill = "side",
) -> Response:
    """Shows a frame upright in its full size, by default before and after beside each other, without loss."""
    job = await run_sync(job_with_files, jobs, job_id)
    _check_frame(job, frame)
    still = await pictures.still(job, frame, View(view))
    # The hash of a picture of 100 MB would hold up every other request.
    return await run_sync(tagged, request, still, "image/png", CACHE)


@router.get("/jobs/{job_id}/poster.jpg", response_class=Response, responses=_SMALL)
async def get_poster(
    job_id: str,
    jobs: OwnJobs,
    posters: PosterMaker,
    request: Request,
    width: Annotated[PosterWidth, Query(description="Pixels of the longer side.")] = "320",
) -> Response:
    """Shows the first frame of the upload that is not black, small and upright: for lists of jobs."""
    job = await run_sync(job_with_files, jobs, job_id)
    return tagged(request, await posters.poster(job, int(width)), "image/jpeg", FOREVER)


@router.get("/jobs/{job_id}/strip.jpg", response_class=Response, responses=_SMALL)
async def get_strip(job_id: str, jobs: OwnJobs, posters: PosterMaker, request: Request) -> Response:
    """Shows ten frames of the upload, evenly spaced, side by side and of one size: to play them under the pointer."""
    job = await run_sync(job_with_files, jobs, job_id)
    return tagged(request, await posters.strip(job), "image/jpeg", FOREVER)


def _check_frame(job: Job, frame: int) -> None:
    """Raises FrameNotFound."""
    if frame >= job.spec.video.frames:
        raise FrameNotFound(f"The video has frames 0 to {job.spec.video.frames - 1}.")
