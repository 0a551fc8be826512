"""Fetches the videos of jobs from their ``input_url``, beside the tasks: it takes time, but no processor."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from threading import Event, Semaphore

from service.errors.base import ServiceError
from service.errors.broker import BrokerUnavailable
from service.errors.job import JobCanceled, JobNotFound
from service.errors.limit import LimitReached
from service.errors.outbound import FetchFailed
from service.errors.storage import StorageFull, StorageUnavailable
from service.errors.upload import EmptyUpload
from service.jobs.job import Failure, Job, Order, new_job_id
from service.jobs.store import RedisJobStore
from service.logs import log_context
from service.options import JobOptions
from service.outbound.download import Downloader
from service.outbound.retry_plan import RetryPlan
from service.redis_state.due import DueList, Ticket
from service.redis_state.shares import Shares
from service.storage.store import Storage, Upload
from service.submission.acceptance import JobAcceptance
from service.submission.received import ReceivedUpload
from service.submission.rules import SubmissionRules
from service.tenancy.api_keys import ApiKey, KeyRing
from service.tenancy.quotas import Quotas
from service.transfers.bookkeeping import Transfers
from service.transfers.lease import Lease

log = logging.getLogger(__name__)

SPACE_DELAY_S = 5.0
"""A fetch that finds the disk full is tried again this often, for as long as it takes: people have to make room."""
HELD_BYTES = 4 << 20
"""Of a video of unknown size, so many more bytes than have arrived are reserved for its key, as long as it has them."""
_FAULT = "The service has a fault ({}); the log of its worker tells more."


@dataclass(frozen=True)
class FetchParts:
    """What a fetch changes."""

    jobs: RedisJobStore
    storage: Storage
    transfers: Transfers
    due: DueList
    acceptance: JobAcceptance
    rules: SubmissionRules
    quotas: Quotas
    keys: KeyRing
    looking: Semaphore
    """Bounds how many videos are looked at at a time, each of which takes a process."""


class Fetches:
    """Fetches one video at a time; several may work side by side, in several workers.

    A job is leased meanwhile. When its worker dies, the lease lapses, and another begins anew.
    """

    def __init__(
        self,
        parts: FetchParts,
        shares: Shares,
        downloader: Downloader,
        plan: RetryPlan,
        ttl_s: float,
        stopping: Event,
    ) -> None:
        """``shares`` are those of all that fetch in this worker.

        ``ttl_s``: seconds of silence after which a lease lapses. ``stopping`` is set when the worker stops.
        """
        self._parts = parts
        self._shares = shares
        self._downloader = downloader
        self._plan = plan
        self._ttl_s = ttl_s
        self._stopping = stopping

    def step(self) -> bool:
        """Fetches one video if one is due; returns whether one was. After BrokerUnavailable it is due again later."""
        if self._stopping.is_set():
            return False
        with self._shares.taken(self._ttl_s) as ticket:
            if ticket is not None:
                self._take(ticket)
        return ticket is not None

    def _take(self, ticket: Ticket) -> None:
        try:
            job = self._parts.jobs.get(ticket.member)
        except JobNotFound:
            self._parts.due.remove(ticket)
            return
        sink = _Arrival(self._parts, job)
        with Lease(self._parts.due, ticket, self._ttl_s, self._stopping, sink.tell) as lease:
            sink.lease = lease
            with log_context(job=job.id, step="fetch", request=job.spec.request_id):
                again_in = self._outcome(job, sink)
        if again_in is None:
            self._parts.due.remove(lease.ticket)
        else:
            self._parts.due.reschedule(lease.ticket, time.time() + again_in)

    def _outcome(self, job: Job, sink: _Arrival) -> float | None:
        """Fetches a video; returns the seconds after which that is to be tried again, None if it is over."""
        try:
            self._fetch(job, sink)
        except JobCanceled:
            return 0.0
        except JobNotFound:
            return None
        except StorageFull as error:
            log.warning("The fetch waits for space: %s", error)
            self._parts.transfers.await_space(job.id)
            return SPACE_DELAY_S
        except (FetchFailed, StorageUnavailable) as error:
            return self._later(job, error)
        except BrokerUnavailable:
            raise
        except ServiceError as error:
            self._fail(job, error.code, str(error))
        except Exception as error:  # A job must not hang because of a fault in this service.
            log.exception("The fetch met an unexpected error.")
            self._fail(job, ServiceError.code, _FAULT.format(type(error).__name__))
        finally:
            sink.discard()
        return None

    def _fetch(self, job: Job, sink: _Arrival) -> None:
        order = job.spec.order
        if order is None:
            raise JobNotFound("The video is here already.")
        began = time.monotonic()
        self._downloader.download(order.url, sink)
        received = sink.received(order)
        with self._parts.looking:
            spec = asyncio.run(self._parts.rules.describe(received, JobOptions.from_text(order.fields)))
        sink.lease.check()
        first = job.spec
        spec = replace(spec, request_id=first.request_id, traceparent=first.traceparent)
        self._parts.acceptance.arrive(job.id, received.upload, spec, self._parts.transfers)
        log.info("Fetched %d bytes in %.1f s.", received.upload.size, time.monotonic() - began)

    def _later(self, job: Job, error: ServiceError) -> float | None:
        delay = self._plan.delay(self._parts.transfers.failed(job.id))
        if delay is None:
            self._fail(job, error.code, str(error))
        else:
            log.warning("The fetch is tried again in %.0f s: %s", delay, error)
        return delay

    def _fail(self, job: Job, code: str, detail: str) -> None:
        if self._parts.jobs.fail(job.id, Failure(code, detail)):
            log.error("The job failed: %s", detail)


class _Arrival:
    """Stores the video that is on its way, and tells how far it is. A sink for ``Downloader``."""

    lease: Lease

    def __init__(self, parts: FetchParts, job: Job) -> None:
        self._parts = parts
        self._job = job
        self._upload: Upload | None = None
        self._total: int | None = None
        self._room = 0
        self._refusal: LimitReached | None = None
        self._key = _key_of(parts, job.id)
        self._held = f"fetch:{job.id}"

    def begin(self, total: int | None) -> None:
        self.discard()
        self._total = total
        self._make_room(total or 0)
        # Under an id of its own, so that an attempt that lost its lease cannot harm the next one.
        self._upload = self._parts.storage.begin_upload(new_job_id(), total or 0)

    def write(self, data: bytes) -> None:
        assert self._upload is not None
        self.lease.check()
        if self._refusal is not None:
            raise self._refusal
        self._make_room(self._upload.size + len(data))
        self._upload.write(data)

    def pause(self, seconds: float) -> None:
        self.lease.pause(seconds)

    def tell(self) -> None:
        """Tells how many bytes there are, and keeps their room reserved."""
        upload = self._upload
        if upload is None:
            return
        self._parts.transfers.fetched(self._job.id, upload.size, self._total)
        try:
            self._hold(self._room)
        except LimitReached as error:
            self._refusal = error

    def received(self, order: Order) -> ReceivedUpload:
        """Returns the whole video. Raises EmptyUpload and StorageError."""
        assert self._upload is not None
        if not self._upload.size:
            raise EmptyUpload("The file at the input_url is empty.")
        digest = self._upload.finish()
        return ReceivedUpload(self._upload, self._job.spec.source.filename, digest, order.fields)

    def discard(self) -> None:
        """Removes what no job has taken over."""
        if self._upload is not None:
            self._upload.discard()
            self._upload = None
        if self._room:
            self._room = 0
            with suppress(BrokerUnavailable):
                self._parts.quotas.let_go(self._key, self._held)

    def _make_room(self, size: int) -> None:
        """Reserves ``size`` bytes for the key, and a few more where nobody says how many come. Raises LimitReached."""
        if size <= self._room:
            return
        if self._total is None:
            with suppress(LimitReached):
                self._hold(size + HELD_BYTES)
                return
        self._hold(size)

    def _hold(self, size: int) -> None:
        self._parts.quotas.hold_bytes(self._key, self._held, size)
        self._room = size


def _key_of(parts: FetchParts, job_id: str) -> ApiKey | None:
    """Returns the key whose room the video takes; None where nobody needs one, or it was revoked since."""
    prefix = parts.transfers.key_of(job_id)
    return parts.keys.valid_key(prefix) if prefix else None
