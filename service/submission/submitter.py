"""From a complete upload to a queued job, for one caller."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from anyio import CancelScope
from anyio.to_thread import run_sync

from service.errors.base import ServiceError
from service.errors.broker import BrokerUnavailable
from service.errors.job import JobNotFound
from service.errors.submission import SubmissionInFlight
from service.errors.upload import UploadNotFound
from service.jobs.idempotency import Submissions, checked_key
from service.jobs.job import Job, Order, new_job_id
from service.options import JobOptions
from service.storage.spool import UploadSpool
from service.storage.threads import on_disk
from service.submission.acceptance import JobAcceptance
from service.submission.filenames import filename_in
from service.submission.received import ReceivedUpload, filled
from service.submission.rules import SubmissionRules
from service.tenancy.api_keys import ApiKey
from service.tenancy.quotas import Quotas, Reservation
from service.tracing import span

HEARTBEAT_S = 5.0
"""Seconds after which leases are renewed: well before they lapse."""

Held = TypeVar("Held")


@dataclass(frozen=True)
class Submitter:
    """Turns the uploads of one caller into jobs. ``submissions`` and ``spool`` are those of its tenant."""

    rules: SubmissionRules
    acceptance: JobAcceptance
    quotas: Quotas
    submissions: Submissions
    spool: UploadSpool
    tenant: str
    key: ApiKey | None
    """None without a key: then only the limits of the queue hold."""

    def idempotency_key(self, sent: str | None) -> str | None:
        """Returns the key under which a submission may be repeated; ``sent`` is that of the request."""
        return sent

    @asynccontextmanager
    async def room(self, idempotency_key: str | None, size: int) -> AsyncIterator[Reservation]:
        """Holds room for a job whose upload has about ``size`` bytes, until the job takes it over.

        A repetition needs none: its job is there. Raises LimitReached and BrokerUnavailable.
        """
        async with _in_thread(self.quotas.room(self.key)) as room:
            if idempotency_key is None or not await run_sync(self.submissions.knows, idempotency_key):
                await run_sync(self.quotas.reserve, room, size)
            async with _renewed(partial(self.quotas.renew, room)):
                yield room

    def check_form(self, fields: Mapping[str, str]) -> None:
        """Checks the fields that come ahead of the file in a form, before it is read. Raises InvalidOption."""
        JobOptions.from_text(fields)

    async def submit(self, received: ReceivedUpload, room: Reservation, idempotency_key: str | None) -> Job:
        """Checks and probes the upload, then queues its job.

        With an ``Idempotency-Key`` that was used before, returns the job that was made then.
        Raises UploadError, VideoError, SubmissionError, StorageError, WebhookRefused, LimitReached and
        BrokerUnavailable.
        """
        payload = [received.sha256, received.spooled or received.source_job, received.fields]
        new_job = partial(self._new_job, received, room)
        return await self._once(idempotency_key, payload, received.upload.job_id, new_job)

    async def submit_order(self, order: Order, room: Reservation, idempotency_key: str | None) -> Job:
        """Queues a job whose video a worker fetches; repeated, it gives the same job as ``submit`` does.

        Raises SubmissionError, AddressRefused, WebhookRefused and BrokerUnavailable.
        """
        job_id = new_job_id()
        new_job = partial(self._ordered_job, job_id, order, room)
        return await self._once(idempotency_key, [order.url, order.fields], job_id, new_job)

    async def _once(
        self,
        idempotency_key: str | None,
        payload: list[Any],
        job_id: str,
        new_job: Callable[[Callable[[], None]], Awaitable[Job]],
    ) -> Job:
        """Makes a job, or returns the earlier one that was made of the same ``payload`` under the same key."""
        if idempotency_key is None:
            return await new_job(lambda: None)
        key, fingerprint = checked_key(idempotency_key), _fingerprint(payload)
        # Held while the job is made, not while the body arrives: a client whose connection was cut may try again.
        async with _in_thread(self.submissions.alone(key)) as renew, _renewed(renew):
            earlier = await run_sync(self._earlier, key, fingerprint)
            if earlier is not None:
                return earlier
            await run_sync(self.submissions.remember, key, fingerprint, job_id)
            try:
                return await new_job(partial(self.submissions.confirm, key, job_id))
            except SubmissionInFlight:
                raise  # The key is another's by now.
            except BrokerUnavailable:
                raise  # The job may be there; a repetition finds it by its key.
            except ServiceError:
                await run_sync(self.submissions.forget, key)
                raise

    def _earlier(self, key: str, fingerprint: str) -> Job | None:
        job_id = self.submissions.earlier(key, fingerprint)
        if job_id is None:
            return None
        try:
            return self.acceptance.store.get(job_id)
        except JobNotFound:
            return None  # It was deleted, or its gateway died before it was made.

    async def _new_job(self, received: ReceivedUpload, room: Reservation, confirm: Callable[[], None]) -> Job:
        """Makes one job of a resumable upload or another job's source, too; these stay when the job is refused.

        ``confirm`` is called before the job is made, and raises if it is not to be.
        """
        video = await on_disk(filled, received, self.spool, self.acceptance.store.of(self.tenant))
        spec = await self.rules.specify(video)
        with span("accept"):
            # By now the size is known; the bytes of a resumable upload are counted since it began.
            await run_sync(self.quotas.reserve, room, 0 if video.spooled else video.upload.size)
            await run_sync(confirm)
            job = await run_sync(self.acceptance.accept, video.upload, spec, room, self.tenant)
        if video.spooled:
            with suppress(UploadNotFound):
                await on_disk(self.spool.remove, video.spooled)
            await run_sync(self.quotas.let_go, self.key, video.spooled)
        return job

    async def _ordered_job(
        self, job_id: str, order: Order, room: Reservation, confirm: Callable[[], None]
    ) -> Job:
        spec = await run_sync(self.rules.specify_order, order, filename_in(order.url))
        await run_sync(confirm)
        return await run_sync(self.acceptance.accept_order, job_id, spec, room, self.tenant)


@asynccontextmanager
async def _in_thread(manager: AbstractContextManager[Held]) -> AsyncIterator[Held]:
    """Enters and leaves ``manager`` in threads, because both may wait for Redis."""
    held = await run_sync(manager.__enter__)
    try:
        yield held
    finally:
        with CancelScope(shield=True):
            await run_sync(manager.__exit__, None, None, None)


@asynccontextmanager
async def _renewed(renew: Callable[[], None]) -> AsyncIterator[None]:
    """Calls ``renew`` every few seconds, as long as this process lives."""

    async def beat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            with suppress(BrokerUnavailable):
                await run_sync(renew)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


def _fingerprint(payload: list[Any]) -> str:
    """Returns the same for the same bytes with the same options, under whatever file name."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
