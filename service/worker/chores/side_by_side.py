"""Makes the videos that show uploads beside their results, one at a time, in processes that yield to all others."""

from __future__ import annotations

import errno
import logging
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from service.errors.job import JobNotFound
from service.errors.pipeline import PipelineError
from service.errors.storage import StorageFull
from service.jobs.job import Job, JobStatus
from service.jobs.reader import JobReader
from service.pipeline.side_by_side import SideBySide
from service.redis_state.exports import SideBySideExports
from service.storage.disk import require_space
from service.storage.store import SIDE_BY_SIDE, SOURCE, Storage, result_name

log = logging.getLogger(__name__)

_PACKAGES = Path(__file__).parents[3]
"""Where the package ``service`` lies, so that the child finds the same code."""
LEASE_S = 24 * 3600.0
"""Seconds for one video. A worker that is gone is noticed sooner, by its silence."""
SAID_S = 1.0
"""Seconds between two words on how far it is."""
ROOM = 3
"""Bytes that must be free, as a multiple of the result's: a draft without sound, and the video."""
FULL_S = 15.0
"""Seconds until a video for which there was no room is tried again."""


class SideBySideVideos:
    """Makes what is asked for. Safe to run in several workers."""

    def __init__(self, jobs: JobReader, storage: Storage, exports: SideBySideExports) -> None:
        self._jobs = jobs
        self._storage = storage
        self._exports = exports

    def step(self) -> bool:
        """Makes one video if one is due; returns whether one was.

        Raises BrokerUnavailable and StorageUnavailable; the video is then asked for again.
        """
        ticket = self._exports.due.take(LEASE_S)
        if ticket is None:
            return False
        job_id = ticket.member
        try:
            self._exports.say(job_id, 0)
            if self._make(self._jobs.get(job_id)):
                self._exports.forget(job_id)
            else:
                self._exports.fail(job_id)
        except StorageFull:
            self._exports.due.reschedule(ticket, time.time() + FULL_S)
            return True
        except PipelineError as error:
            log.error("%s", error, extra={"job": job_id})
            self._exports.fail(job_id)
        except (JobNotFound, FileNotFoundError):
            self._exports.forget(job_id)
        self._exports.due.remove(ticket)
        return True

    def _make(self, job: Job) -> bool:
        """Returns whether the video is there. Raises FileNotFoundError where the job's files were removed."""
        if job.status is not JobStatus.SUCCEEDED or self._storage.find(job.id, SIDE_BY_SIDE):
            return job.status is JobStatus.SUCCEEDED
        with ExitStack() as files:
            source = files.enter_context(self._storage.reading(job.id, SOURCE))
            result = files.enter_context(
                self._storage.reading(job.id, result_name(job.spec.options.container))
            )
            target = files.enter_context(self._storage.writing(job.id, SIDE_BY_SIDE))
            require_space(target.parent, ROOM * result.stat().st_size, 0)
            video, options = job.spec.video, job.spec.options
            request = SideBySide(source, result, target, video.frames, video.excerpt, options.deinterlace)
            return self._run(job, request)

    def _run(self, job: Job, request: SideBySide) -> bool:
        """Returns True. Raises PipelineError, StorageFull, and FileNotFoundError where the job was deleted."""
        command = [sys.executable, "-m", "service.pipeline.side_by_side", request.to_json()]
        with (
            tempfile.TemporaryFile("w+") as trouble,
            subprocess.Popen(
                command, cwd=_PACKAGES, stdout=subprocess.PIPE, stderr=trouble, text=True
            ) as child,
        ):
            self._follow(job, child)
            trouble.seek(0)
            text = trouble.read()
        if not child.returncode:
            return True
        if not self._jobs.exists(job.id):
            raise FileNotFoundError(f"Job {job.id} was deleted.")
        if os.strerror(errno.ENOSPC) in text:
            raise StorageFull("There is no room for the video of the upload beside its result.")
        raise PipelineError(f"The upload and its result make no video side by side: {text[-2000:]}")

    def _follow(self, job: Job, child: subprocess.Popen[str]) -> None:
        """Says how far the child is, and ends it once the job is deleted."""
        assert child.stdout is not None
        not_before = 0.0
        try:
            for line in child.stdout:
                if time.monotonic() >= not_before:
                    not_before = time.monotonic() + SAID_S
                    self._exports.say(job.id, int(line))
                    if not self._jobs.exists(job.id):
                        return
            child.wait()
        finally:
            child.kill()
