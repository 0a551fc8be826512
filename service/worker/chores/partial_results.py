"""Makes a playable video of what a canceled job leaves: its finished segments, from the first one on."""

from __future__ import annotations

import hashlib
import logging
from contextlib import ExitStack
from itertools import takewhile
from pathlib import Path

from service.errors.job import JobNotFound
from service.errors.pipeline import PipelineError
from service.jobs.job import Job, JobStatus, Output
from service.jobs.store import RedisJobStore
from service.pipeline.finalize import finalize
from service.pipeline.report import FinalReport
from service.redis_state.due import DueList
from service.storage.store import SOURCE, Storage, partial_name, piece_name
from service.types import Segment

log = logging.getLogger(__name__)

LEASE_S = 600.0
"""Seconds for joining; it copies packets, so that an hour of video takes seconds."""


class PartialResults:
    """Joins the segments of all canceled jobs. Safe to run in several workers."""

    def __init__(self, store: RedisJobStore, storage: Storage, due: DueList) -> None:
        self._store = store
        self._storage = storage
        self._due = due

    def step(self) -> bool:
        """Joins the segments of one job if one is due; returns whether one was.

        Raises BrokerUnavailable and StorageUnavailable; the job is then due again.
        """
        ticket = self._due.take(LEASE_S)
        if ticket is None:
            return False
        try:
            self._keep(self._store.get(ticket.member))
        except (JobNotFound, PipelineError, FileNotFoundError) as error:
            log.warning("A canceled job leaves no partial result: %s", error, extra={"job": ticket.member})
        self._due.remove(ticket)
        return True

    def _keep(self, job: Job) -> None:
        finished = list(takewhile(lambda segment: self._has(job, segment), job.plan))
        if job.status is JobStatus.CANCELED and finished:
            self._store.keep_partial(job.id, self._join(job, finished))

    def _has(self, job: Job, segment: Segment) -> bool:
        return self._storage.find(job.id, piece_name(segment)) is not None

    def _join(self, job: Job, finished: list[Segment]) -> Output:
        spec, name = job.spec, partial_name(job.spec.options.container)
        with ExitStack() as stack:
            source = stack.enter_context(self._storage.reading(job.id, SOURCE))
            pieces = [
                stack.enter_context(self._storage.reading(job.id, piece_name(segment)))
                for segment in finished
            ]
            target = stack.enter_context(self._storage.writing(job.id, name))
            report = finalize(source, pieces, target, spec.video, spec.options, finished[-1].stop)
            return _output(target, job, report)


def _output(path: Path, job: Job, report: FinalReport) -> Output:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    options = job.spec.options
    return Output(
        path.stat().st_size,
        digest,
        options.container,
        options.codec,
        report.frames_out,
        partial=True,
        findings=report.findings,
    )
