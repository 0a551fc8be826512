"""Makes the videos that show uploads beside their results, one at a time, in processes that yield to all others."""

from __future__ import annotations

import errno
import logging
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from threading import Event

from service.errors.job import JobCanceled, JobNotFound
from service.errors.pipeline import PipelineError
from service.errors.storage import StorageFull
from service.jobs.job import Job, JobStatus
from service.jobs.reader import JobReader
from service.pipeline.side_by_side import SideBySide, picture_of
from service.redis_state.due import Ticket
from service.redis_state.exports import SideBySideExports
from service.storage.disk import held_space
from service.storage.store import SIDE_BY_SIDE, SOURCE, Storage, result_name
from service.transfers.lease import Lease

log = logging.getLogger(__name__)

_PACKAGES = Path(__file__).parents[3]
"""Where the package ``service`` lies, so that the child finds the same code."""
LOOK_S = 0.2
"""Seconds after which it is noticed that nobody wants the video from here any more."""
ROOM = 3
"""Bytes that are held on the disk, as a multiple of the result's: for a draft without sound, and the video."""
FULL_S = 15.0
"""Seconds until a video for which there was no room is tried again."""


class SideBySideVideos:
    """Makes what is asked for. Safe to run in several workers: a video is leased meanwhile."""

    def __init__(
        self, jobs: JobReader, storage: Storage, exports: SideBySideExports, ttl_s: float, stopping: Event
    ) -> None:
        """``ttl_s``: seconds of silence after which a lease lapses. ``stopping`` is set when the worker stops."""
        self._jobs = jobs
        self._storage = storage
        self._exports = exports
        self._ttl_s = ttl_s
        self._stopping = stopping

    def step(self) -> bool:
        """Makes one video if one is due; returns whether one was.

        Raises BrokerUnavailable and StorageUnavailable; the video is due again when its lease lapses.
        """
        ticket = None if self._stopping.is_set() else self._exports.due.take(self._ttl_s)
        if ticket is None:
            return False
        export = _Export(self._storage, self._exports, ticket.member)
        with self._lease(ticket, export.tell) as lease:
            export.tell()
            again_at, conclude = self._outcome(export, lease)
        if again_at is None:
            conclude(export.job_id)  # after the lease, which tells how far it is
            self._exports.due.remove(lease.ticket)
        else:
            self._exports.due.reschedule(lease.ticket, again_at)
        return True

    def _lease(self, ticket: Ticket, on_beat: Callable[[], None]) -> Lease:
        return Lease(self._exports.due, ticket, self._ttl_s, self._stopping, on_beat)

    def _outcome(self, export: _Export, lease: Lease) -> tuple[float | None, Callable[[str], None]]:
        """Makes a video; returns when that is to be tried again, None if it is over, and how to say so then."""
        job_id = export.job_id
        try:
            export.make(self._jobs.get(job_id), lease.check)
        except JobCanceled:
            return time.time(), self._exports.forget
        except StorageFull:
            return time.time() + FULL_S, self._exports.forget
        except (JobNotFound, FileNotFoundError):
            return None, self._exports.forget
        except PipelineError as error:
            if self._jobs.exists(job_id):
                log.error("%s", error, extra={"job": job_id})
            return None, self._exports.fail
        return None, self._exports.forget


class _Export:
    """One video, and how far it is."""

    def __init__(self, storage: Storage, exports: SideBySideExports, job_id: str) -> None:
        self.job_id = job_id
        self._storage = storage
        self._exports = exports
        self._done = 0

    def tell(self) -> None:
        """Tells how many frames are done; called from another thread meanwhile."""
        self._exports.say(self.job_id, self._done)

    def make(self, job: Job, check: Callable[[], None]) -> None:
        """Makes the video unless it is there. ``check`` raises JobCanceled if nobody wants it from here any more.

        Raises PipelineError, StorageFull, and FileNotFoundError where the files of the job were removed.
        """
        if job.status is not JobStatus.SUCCEEDED:
            raise PipelineError("The job has no result to be shown.")
        if self._storage.find(job.id, SIDE_BY_SIDE):
            return
        with ExitStack() as files:
            source = files.enter_context(self._storage.reading(job.id, SOURCE))
            result = files.enter_context(
                self._storage.reading(job.id, result_name(job.spec.options.container))
            )
            target = files.enter_context(self._storage.writing(job.id, SIDE_BY_SIDE))
            room = ROOM * result.stat().st_size
            keep = files.enter_context(held_space(target.parent, room))

            def look() -> None:
                check()
                keep(max(0, room - _size(target) - _size(picture_of(target))))

            video, options = job.spec.video, job.spec.options
            request = SideBySide(source, result, target, video.frames, video.excerpt, options.deinterlace)
            self._run(request, look)
            size = target.stat().st_size
        self._exports.made(job.id, size)

    def _run(self, request: SideBySide, look: Callable[[], None]) -> None:
        command = [sys.executable, "-m", "service.pipeline.side_by_side", request.to_json()]
        with (
            tempfile.TemporaryFile("w+") as trouble,
            subprocess.Popen(command, cwd=_PACKAGES, stdout=subprocess.PIPE, stderr=trouble) as child,
        ):
            try:
                self._follow(child, look)
            finally:
                child.kill()
                child.wait()
                picture_of(request.target).unlink(missing_ok=True)
            trouble.seek(0)
            text = trouble.read()
        if child.returncode and os.strerror(errno.ENOSPC) in text:
            raise StorageFull("There is no room for the video of the upload beside its result.")
        if child.returncode:
            raise PipelineError(f"The upload and its result make no video side by side: {text[-2000:]}")

    def _follow(self, child: subprocess.Popen[bytes], look: Callable[[], None]) -> None:
        """Reads how far the child is until it ends. Calls ``look`` again and again, which may raise."""
        assert child.stdout is not None
        said, rest = child.stdout.fileno(), b""
        while True:
            readable, _, _ = select.select([said], [], [], LOOK_S)
            look()
            if not readable:
                continue
            data = os.read(said, 1 << 16)
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            self._done = int(lines[-1]) if lines else self._done
        child.wait()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
