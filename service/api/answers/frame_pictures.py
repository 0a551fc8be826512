"""Makes pictures of single frames of jobs."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from anyio.to_thread import run_sync

from service.artifacts.heat_maps import read_picture
from service.artifacts.newest_pictures import View, read_newest
from service.errors.job import FrameNotRestored, ResultExpired
from service.jobs.job import Job, JobStatus
from service.metrics import PREVIEW_SECONDS
from service.storage.store import HEAT_MAPS, NEWEST, SOURCE, Storage, heat_maps_name, piece_name, result_name
from service.types import Segment
from service.video.sandbox.preview import PreviewLimits, Shot, preview

STILL_SIDE = 8192
"""Pixels of the longer side of each frame of a still: all of them."""


@dataclass(frozen=True)
class FramePictures:
    """Decodes frames in child processes, as many at once as ``slots`` has."""

    storage: Storage
    slots: asyncio.Semaphore

    async def picture(self, job: Job, frame: int, view: View) -> bytes:
        """Returns a frame as JPEG.

        Raises FrameNotRestored, ResultExpired, DamagedVideo, ProbeTimeout and StorageUnavailable.
        """
        with PREVIEW_SECONDS.time():
            kept = await run_sync(self._newest, job, view)
            if kept is not None and kept[0] == frame:
                return kept[1]
            if view is View.PRIOR:
                return await run_sync(self._heat_map, job, frame)
            async with self.slots:
                return await self._decoded(job, frame, view, PreviewLimits())

    async def newest(self, job: Job, view: View) -> tuple[int, bytes]:
        """Returns the number of the newest frame that was restored, and the frame as JPEG. Raises as ``picture``."""
        kept = await run_sync(self._newest, job, view)
        if kept is not None:
            return kept
        frame = job.progress.newest_frame
        if frame is None:
            raise FrameNotRestored("No frame is restored yet.")
        return frame, await self.picture(job, frame, view)

    def _newest(self, job: Job, view: View) -> tuple[int, bytes] | None:
        """Returns what the worker keeps of the newest frame until the job is done; None where there is nothing."""
        if job.progress.newest_frame is not None and job.status is not JobStatus.SUCCEEDED:
            with suppress(FileNotFoundError), self.storage.reading(job.id, NEWEST) as file:
                return read_newest(file, view)
        return None

    async def still(self, job: Job, frame: int, view: View) -> bytes:
        """Returns a frame in full size as PNG. Raises as ``picture``."""
        async with self.slots:
            return await self._decoded(job, frame, view, PreviewLimits(side=STILL_SIDE, png=True))

    async def _decoded(self, job: Job, frame: int, view: View, limits: PreviewLimits) -> bytes:
        with ExitStack() as files:
            shots = await run_sync(self._shots, files, job, frame, view)
            return await preview(shots, limits)

    def _shots(self, files: ExitStack, job: Job, frame: int, view: View) -> list[Shot]:
        shots, excerpt, fields = [], job.spec.video.excerpt, job.spec.options.deinterlace
        if view is not View.AFTER:
            shots.append(Shot(self._source(files, job), frame, excerpt, fields))
        if view is not View.BEFORE:
            shots.append(self._restored(files, job, frame))
        return shots

    def _source(self, files: ExitStack, job: Job) -> Path:
        try:
            return files.enter_context(self.storage.reading(job.id, SOURCE))
        except FileNotFoundError as error:
            raise ResultExpired("The files of this job were removed.") from error

    def _restored(self, files: ExitStack, job: Job, frame: int) -> Shot:
        """Returns the frame in the result, or in the piece of its segment where there is no result yet.

        Raises FrameNotRestored.
        """
        names = [(result_name(job.spec.options.container), frame)]
        names += [(piece_name(one), frame - one.start) for one in _segments_with(job, frame)]
        for name, number in names:
            with suppress(FileNotFoundError):
                return Shot(files.enter_context(self.storage.reading(job.id, name)), number)
        raise FrameNotRestored(f"Frame {frame} is not restored yet.")

    def _heat_map(self, job: Job, frame: int) -> bytes:
        for name in (HEAT_MAPS, *map(heat_maps_name, _segments_with(job, frame))):
            with suppress(FileNotFoundError, KeyError), self.storage.reading(job.id, name) as file:
                return read_picture(file, frame)
        raise FrameNotRestored(f"There is no prior of frame {frame} yet.")


def _segments_with(job: Job, frame: int) -> list[Segment]:
    """Returns the one that holds the frame; none before the plan is made."""
    return [one for one in job.plan if one.start <= frame < one.stop]
