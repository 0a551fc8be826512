"""From a complete upload to a queued job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

from anyio import CancelScope
from anyio.to_thread import run_sync
from starlette.requests import Request

from service.api.dependencies import Gateway
from service.api.upload.body import RequestBody
from service.api.upload.receiving import ReceivedUpload, declared_length, filled_from_spool, received_upload
from service.errors.base import ServiceError
from service.errors.engine import ModelNotFound
from service.errors.job import JobNotFound
from service.errors.storage import StorageUnavailable
from service.errors.submission import InvalidOption
from service.errors.upload import UploadNotFound
from service.errors.webhook import WebhookRefused
from service.estimates.estimate import Workload
from service.jobs.idempotency import checked_key
from service.jobs.job import Job, JobSpec, SourceFile
from service.jobs.step_names import PLAN
from service.logs import current_request
from service.metrics import UPLOADS
from service.options import JobOptions
from service.tenancy.quotas import Reservation
from service.tracing import current_traceparent, span
from service.video.sandbox.probe import probe
from service.webhooks.address import permitted_addresses, read_target

Held = TypeVar("Held")


async def submit(parts: Gateway, request: Request) -> Job:
    """Receive, check and probe the upload, then queue its job.

    Raises UploadError, VideoError, SubmissionError, StorageError, WebhookRefused, LimitReached, BrokerUnavailable.
    With an ``Idempotency-Key`` that was used before, the answer is the job that was made then.
    """
    with _counted():
        async with (
            _in_thread(parts.quotas.room(parts.caller.key)) as room,
            _reserved(parts, request, room),
            received_upload(request, parts.storage, parts.limits.max_bytes) as received,
        ):
            key = _idempotency_key(request)
            submission = _Submission(parts, received, room)
            if key is None:
                return await _new_job(submission)
            return await _once(submission, key)


@dataclass(frozen=True)
class _Submission:
    """What was sent, and the room that is kept for it."""

    parts: Gateway
    received: ReceivedUpload
    room: Reservation


@asynccontextmanager
async def _reserved(parts: Gateway, request: Request, room: Reservation) -> AsyncIterator[None]:
    """Refuse before the body arrives what there is no room for. A repetition needs none: its job is there."""
    try:
        key = request.headers.get("idempotency-key")
        if key is None or not await run_sync(parts.submissions.knows, key):
            await run_sync(parts.quotas.reserve, room, declared_length(request))
    except ServiceError:
        await RequestBody(request).drain()
        raise
    yield


def _idempotency_key(request: Request) -> str | None:
    text = request.headers.get("idempotency-key")
    return None if text is None else checked_key(text)


async def _once(submission: _Submission, key: str) -> Job:
    """The job of this key: the one that there is, else a new one. Held for as long as that takes, not while
    the body arrives: a client whose connection was cut may try again at once.
    """
    parts, received = submission.parts, submission.received
    fingerprint = _fingerprint(received)
    async with _in_thread(parts.submissions.alone(key)):
        earlier = await run_sync(_earlier, parts, key, fingerprint)
        if earlier is not None:
            return earlier
        await run_sync(parts.submissions.remember, key, fingerprint, received.upload.job_id)
        try:
            return await _new_job(submission)
        except ServiceError:
            await run_sync(parts.submissions.forget, key)
            raise


def _earlier(parts: Gateway, key: str, fingerprint: str) -> Job | None:
    job_id = parts.submissions.earlier(key, fingerprint)
    if job_id is None:
        return None
    try:
        return parts.store.get(job_id)
    except JobNotFound:
        return None  # deleted, or its gateway died before it was made


@asynccontextmanager
async def _in_thread(manager: AbstractContextManager[Held]) -> AsyncIterator[Held]:
    """A context manager whose ways in and out may wait for Redis."""
    held = await run_sync(manager.__enter__)
    try:
        yield held
    finally:
        with CancelScope(shield=True):
            await run_sync(manager.__exit__, None, None, None)


def _fingerprint(received: ReceivedUpload) -> str:
    """The same for the same bytes with the same options, under whatever file name."""
    payload = [received.sha256, received.spooled, received.fields]
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


async def _new_job(submission: _Submission) -> Job:
    """A resumable upload becomes one job; it stays where it is when the job is refused."""
    parts = submission.parts
    received = await run_sync(filled_from_spool, submission.received, parts.spool)
    spec = await _specify(parts, received)
    with span("accept"):
        job = await run_sync(_accept, replace(submission, received=received), spec)
    if received.spooled:
        with suppress(UploadNotFound):
            await run_sync(parts.spool.remove, received.spooled)
        await run_sync(parts.quotas.let_go, parts.caller.key, received.spooled)
    return job


@contextmanager
def _counted() -> Iterator[None]:
    try:
        yield
    except ServiceError as error:
        UPLOADS.labels(error.code).inc()
        raise
    UPLOADS.labels("accepted").inc()


async def _specify(parts: Gateway, received: ReceivedUpload) -> JobSpec:
    requested = JobOptions.from_text(received.fields)
    model = await run_sync(_known_model, parts, requested)
    await run_sync(_check_webhook, parts, requested.webhook_url)
    with span("probe"):
        video = await probe(received.upload.contents(), parts.limits.probe, requested.excerpt)
    source = SourceFile(received.filename, received.upload.size, received.sha256)
    url, strict = requested.webhook_url, requested.strict
    spec = JobSpec(model, requested.encode(), source, video, url, strict=strict)
    return replace(spec, request_id=current_request(), traceparent=current_traceparent())


def _check_webhook(parts: Gateway, url: str | None) -> None:
    """Raises WebhookRefused; the address is looked up and checked again for every delivery."""
    if url is None:
        return
    target = read_target(url)
    if parts.webhook_allow_private:
        return
    try:
        permitted_addresses(target, allow_private=False)
    except (OSError, UnicodeError) as error:
        raise WebhookRefused(f"the webhook's host {target.host} is not found: {error}") from error


def _known_model(parts: Gateway, requested: JobOptions) -> str:
    """A graph has its stages inside, so another number of them is another model."""
    try:
        model = parts.catalog.require(requested.model or parts.default_model)
    except ModelNotFound as error:
        raise InvalidOption(str(error)) from error
    if requested.stages in (None, model.stages):
        return model.name
    others = [card.name for card in parts.catalog.models() if card.stages == requested.stages]
    raise InvalidOption(
        f"model {model.name} has {model.stages} stages; models with {requested.stages}: "
        f"{', '.join(others) or 'none is installed'}"
    )


def _accept(submission: _Submission, spec: JobSpec) -> Job:
    """Files, record, message, in this order: each may rely on those before. All or nothing remains.

    By now it is known how large the file is; the bytes of a resumable upload are counted since it began.
    """
    parts, received, room = submission.parts, submission.received, submission.room
    parts.quotas.reserve(room, 0 if received.spooled else received.upload.size)
    job_id = received.upload.job_id
    received.upload.keep()
    try:
        job = parts.store.create(job_id, _with_estimate(parts, spec), room, parts.caller.tenant)
        parts.queue.enqueue(job_id, PLAN)
    except BaseException:
        with suppress(StorageUnavailable):
            parts.storage.delete(job_id)
        with suppress(ServiceError):
            parts.store.delete(job_id)
        raise
    return job


def _with_estimate(parts: Gateway, spec: JobSpec) -> JobSpec:
    """What the job is expected to take: its first ETA, and later compared with what it took."""
    video = spec.video
    found = parts.estimator.estimate(Workload(spec.model, video.width, video.height, video.frames))
    return replace(spec, estimated_s=found.seconds, estimated_restoring_s=found.restoring_s)
