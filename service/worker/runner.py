"""Runs the steps of jobs: claims each before, and records how it ended after, whatever happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event

from service.errors.base import ServiceError
from service.errors.broker import BrokerUnavailable
from service.errors.engine import EngineUnavailable
from service.errors.job import JobCanceled, JobNotFound, SegmentGaveUp
from service.errors.storage import StorageFull, StorageUnavailable
from service.jobs.claim import Claim, ClaimAnswer
from service.jobs.job import Failure, Job
from service.jobs.queue import JobQueue
from service.jobs.record import SPACE
from service.jobs.step_leases import StepLeases
from service.jobs.store import RedisJobStore
from service.logs import log_context
from service.metrics import STEPS
from service.redis_state.scripts.turns import LONGEST_DELAY_S
from service.text import plural
from service.tracing import span
from service.worker.watchdog import Touch, Watchdog

log = logging.getLogger(__name__)

MAX_DELIVERIES = 3
"""A step that crashed its worker this often would crash the next one as well."""
MAX_CRASHES = 6
"""The same for a job whose segments take turns at it: so many crashes in a row, without a finished segment."""
MAX_POSTPONED = 10
FIRST_DELAY_S = 5.0
"""A step without engine or object store is tried again after 5, 10, 20 ... 120 s: a quarter of an hour in all."""
SPACE_DELAY_S = 5.0
"""A step that finds the disk full is tried again this often, for as long as it takes: people have to make room."""

Work = Callable[[Job, Touch], None]
"""What is done in a step of a job; it tells the watchdog of its progress."""

_FAULT = "The service has a fault ({}); the log of its worker tells more."


class StepRunner:
    """Runs steps of jobs, each at most once at a time and never again once it is finished."""

    def __init__(
        self, store: RedisJobStore, leases: StepLeases, queue: JobQueue, watchdog: Watchdog, stopping: Event
    ) -> None:
        """``stopping`` is set when this worker stops; steps that end early then go to another one."""
        self._store = store
        self._leases = leases
        self._queue = queue
        self._watchdog = watchdog
        self._stopping = stopping

    def run(self, job_id: str, step: str, work: Work) -> bool:
        """Does ``work`` if this worker gets the step; returns whether it did.

        Raises nothing: the job's record and the log hold the outcome.
        """
        with log_context(job=job_id, step=step):
            try:
                claim = self._leases.claim(job_id, step)
                if claim.answer is not ClaimAnswer.GRANTED:
                    return False
                with self._watchdog.watching(job_id, step) as touch:
                    self._perform(job_id, step, claim, lambda job: work(job, touch))
            except BrokerUnavailable as error:
                # The claim expires, and a worker that can reach Redis takes the step over.
                log.warning("A step is left to other workers: %s", error)
            return True

    def _perform(self, job_id: str, step: str, claim: Claim, work: Callable[[Job], None]) -> None:
        try:
            _refuse_killer(step, claim)
            self._store.begin(job_id)
            job = self._store.get(job_id)
            with log_context(request=job.spec.request_id), _span(job, step):
                began = time.monotonic()
                work(job)
                log.info("Done in %.1f s.", time.monotonic() - began)
            _count(step, "done")
        except (JobCanceled, JobNotFound):
            self._give_back(job_id, step)
        except StorageFull as error:
            self._await_space(job_id, step, error)
        except (EngineUnavailable, StorageUnavailable) as error:
            self._postpone(job_id, step, error)
        except BrokerUnavailable:
            raise
        except ServiceError as error:
            self._fail(job_id, step, Failure(error.code, str(error)))
        except Exception as error:  # noqa: BLE001  # A job must not hang because of a fault in this service.
            self._fault(job_id, step, error)

    def _give_back(self, job_id: str, step: str) -> None:
        """Gives up the step of a job that was canceled or deleted; if this worker stops, another may go on at once."""
        _count(step, "given_back")
        self._leases.release(job_id, step)
        if self._stopping.is_set() and self._store.is_running(job_id):
            self._queue.enqueue(job_id, step)

    def _postpone(self, job_id: str, step: str, error: EngineUnavailable | StorageUnavailable) -> None:
        times = self._leases.postpone(job_id, step)
        if times > MAX_POSTPONED:
            self._fail(job_id, step, Failure(error.code, str(error)))
            return
        _count(step, "postponed")
        delay = min(FIRST_DELAY_S * 2 ** (times - 1), LONGEST_DELAY_S)
        log.warning("The step is tried again in %g s: %s", delay, error)
        self._leases.release(job_id, step, not_before=time.time() + delay)

    def _await_space(self, job_id: str, step: str, error: StorageFull) -> None:
        _count(step, "postponed")
        log.warning("The step waits for space: %s", error)
        self._leases.release(job_id, step, not_before=time.time() + SPACE_DELAY_S, wanting=SPACE)

    def _fault(self, job_id: str, step: str, error: Exception) -> None:
        """Fails a job after an unexpected error; if the job was deleted, its missing files are the likely reason."""
        if self._store.exists(job_id):
            log.error("The step met an unexpected error.", exc_info=error)
        self._fail(job_id, step, Failure(ServiceError.code, _FAULT.format(type(error).__name__)))

    def _fail(self, job_id: str, step: str, failure: Failure) -> None:
        _count(step, "failed")
        if self._store.fail(job_id, failure):
            log.error("The job failed: %s", failure.detail)
        self._leases.release(job_id, step)


def _refuse_killer(step: str, claim: Claim) -> None:
    """Raises SegmentGaveUp for a step, or a job, that crashed too many workers."""
    if claim.deliveries > MAX_DELIVERIES:
        raise SegmentGaveUp(
            f"The step {step} crashed its worker {plural(MAX_DELIVERIES, 'time')}; it is not tried again."
        )
    if claim.crashes >= MAX_CRASHES:
        raise SegmentGaveUp(
            f"Segments of this job crashed their workers {plural(claim.crashes, 'time')} in a row."
        )


def _span(job: Job, step: str) -> AbstractContextManager[None]:
    kind, _, index = step.partition(":")
    attributes: dict[str, str | int] = {"cdvd.job": job.id, "cdvd.model": job.spec.model}
    if index:
        attributes["cdvd.segment"] = int(index)
    return span(kind, job.spec.traceparent, attributes)


def _count(step: str, outcome: str) -> None:
    STEPS.labels(step.partition(":")[0], outcome).inc()
