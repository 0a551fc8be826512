"""Makes the small pictures of a job's upload that stand for it in lists, once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from anyio.to_thread import run_sync

from service.errors.job import ResultExpired
from service.errors.storage import StorageError
from service.jobs.job import Job
from service.storage.store import SOURCE, STRIP, Storage, poster_name
from service.video.sandbox.preview import PreviewLimits, Shot, preview

STRIP_FRAMES = 10
STRIP_SIDE = 160
"""Pixels of the longer side of each frame of a strip."""
POSTER_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Where a poster may be from: the first of these that is not black."""


@dataclass(frozen=True)
class Posters:
    """Decodes in child processes, as many at once as ``slots`` has, and keeps the pictures beside the upload."""

    storage: Storage
    slots: asyncio.Semaphore

    async def poster(self, job: Job, side: int) -> bytes:
        """Returns the first frame that is not black as a JPEG whose longer side has ``side`` pixels at most.

        Raises ResultExpired, DamagedVideo, ProbeTimeout and StorageUnavailable.
        """
        video = job.spec.video
        frames = sorted({min(round(second * video.fps), video.frames - 1) for second in POSTER_SECONDS})
        return await self._made_once(job, poster_name(side), frames, PreviewLimits(side=side, first_lit=True))

    async def strip(self, job: Job) -> bytes:
        """Returns STRIP_FRAMES frames, evenly spaced over the video, beside each other. Raises as ``poster``."""
        total = job.spec.video.frames
        frames = [total * (2 * part + 1) // (2 * STRIP_FRAMES) for part in range(STRIP_FRAMES)]
        return await self._made_once(job, STRIP, frames, PreviewLimits(side=STRIP_SIDE, keyframes=True))

    async def _made_once(self, job: Job, name: str, frames: Sequence[int], limits: PreviewLimits) -> bytes:
        kept = await run_sync(self._kept, job, name)
        if kept is not None:
            return kept
        async with self.slots:
            kept = await run_sync(self._kept, job, name)  # A list asks for one picture several times at once.
            if kept is not None:
                return kept
            picture = await self._made(job, frames, limits)
        await run_sync(self._keep, job, name, picture)
        return picture

    async def _made(self, job: Job, frames: Sequence[int], limits: PreviewLimits) -> bytes:
        reading = self.storage.reading(job.id, SOURCE)
        try:
            source = await run_sync(reading.__enter__)
        except FileNotFoundError as error:
            raise ResultExpired("The files of this job were removed.") from error
        try:
            return await preview([Shot(source, frame, job.spec.video.excerpt) for frame in frames], limits)
        finally:
            await run_sync(reading.__exit__, None, None, None)

    def _kept(self, job: Job, name: str) -> bytes | None:
        with suppress(FileNotFoundError), self.storage.reading(job.id, name) as file:
            return file.read_bytes()
        return None

    def _keep(self, job: Job, name: str, picture: bytes) -> None:
        """Does nothing where the job was removed meanwhile, or the storage takes no more: it is made again then."""
        with suppress(FileNotFoundError, StorageError), self.storage.writing(job.id, name) as file:
            file.write_bytes(picture)
