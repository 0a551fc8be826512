"""The body of ``POST /jobs``: counted while it streams to storage, gone without a trace if refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request

from service.api.upload.body import RequestBody
from service.api.upload.multipart import FALLBACK_NAME, UPLOAD_FIELD, UploadForm, boundary_of
from service.errors.storage import StorageError
from service.errors.upload import EmptyUpload, UploadError, UploadIncomplete, UploadTooLarge
from service.jobs.job import new_job_id
from service.metrics import UPLOAD_BYTES, UPLOAD_SECONDS
from service.storage.spool import UploadSpool
from service.storage.store import Storage, Upload
from service.tracing import span

FORM_OVERHEAD_BYTES = 128 * 1024
"""What boundaries, headers and fields may add to the file."""

WRITE_BYTES = 1 << 20
"""Bytes collected before a thread writes them: a thread per network packet would cost more than the write."""


@dataclass(frozen=True)
class ReceivedUpload:
    """A complete upload that is not a job yet."""

    upload: Upload
    filename: str
    sha256: str
    fields: dict[str, str]
    spooled: str | None = None
    """The resumable upload that the bytes are in; those above are empty then."""


@asynccontextmanager
async def received_upload(
    request: Request, storage: Storage, max_bytes: int
) -> AsyncIterator[ReceivedUpload]:
    """The upload in a request's body; removed on leaving, unless it was kept.

    Raises MalformedRequest, UploadTooLarge, EmptyUpload, StorageFull, StorageUnavailable; the headers
    are checked before a byte of the body is read.
    """
    body = RequestBody(request)
    try:
        boundary = boundary_of(request.headers.get("content-type", ""))
        length = _checked_length(request, max_bytes)
        upload = await run_sync(storage.begin_upload, new_job_id(), length)
    except (UploadError, StorageError):
        await body.drain()
        raise
    try:
        yield await _receive(body, _Sink(upload, max_bytes), boundary)
    finally:
        with anyio.CancelScope(shield=True):
            await run_sync(upload.discard)


class _Sink:
    """Collects what the form hands over, counts it, and writes it in threads."""

    def __init__(self, upload: Upload, max_bytes: int) -> None:
        self.upload = upload
        self._max_bytes = max_bytes
        self._taken = 0
        self._buffer = bytearray()

    def take(self, data: bytes) -> None:
        self._taken += len(data)
        if self._taken > self._max_bytes:
            raise UploadTooLarge(f"the video is larger than {self._max_bytes} bytes, which is the limit")
        self._buffer += data

    async def flush(self, at_least: int = 1) -> None:
        if len(self._buffer) >= at_least:
            data, self._buffer = bytes(self._buffer), bytearray()
            await run_sync(self.upload.write, data)

    async def finish(self) -> str:
        await self.flush()
        if not self._taken:
            raise EmptyUpload("the file is empty; send a video")
        return await run_sync(self.upload.finish)


async def _receive(body: RequestBody, sink: _Sink, boundary: bytes) -> ReceivedUpload:
    form = UploadForm(boundary, sink.take)
    try:
        with UPLOAD_SECONDS.time(), span("receive"):
            async for chunk in body.chunks():
                UPLOAD_BYTES.inc(len(chunk))
                form.feed(chunk)
                await sink.flush(WRITE_BYTES)
            form.close()
            if form.filename is None:
                spooled = form.fields.pop(UPLOAD_FIELD)
                return ReceivedUpload(sink.upload, FALLBACK_NAME, "", form.fields, spooled)
            digest = await sink.finish()
    except (UploadError, StorageError):
        await body.drain()
        raise
    return ReceivedUpload(sink.upload, form.filename or FALLBACK_NAME, digest, form.fields)


def filled_from_spool(received: ReceivedUpload, spool: UploadSpool) -> ReceivedUpload:
    """With the bytes of the resumable upload that the form names, if it names one.

    Raises UploadNotFound, UploadIncomplete, EmptyUpload, and what writing raises.
    """
    if received.spooled is None:
        return received
    partial = spool.get(received.spooled)
    if not partial.complete:
        raise UploadIncomplete(f"{partial.offset} of {partial.length} bytes of this upload are there")
    if not partial.length:
        raise EmptyUpload("the file is empty; send a video")
    with partial.path.open("rb") as file:
        while data := file.read(WRITE_BYTES):
            received.upload.write(data)
    return replace(received, filename=partial.filename, sha256=received.upload.finish())


def declared_length(request: Request) -> int:
    """The Content-Length, 0 if there is none."""
    text = request.headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


def _checked_length(request: Request, max_bytes: int) -> int:
    """Raises UploadTooLarge."""
    length = declared_length(request)
    if length > max_bytes + FORM_OVERHEAD_BYTES:
        raise UploadTooLarge(f"the request has {length} bytes; videos up to {max_bytes} bytes are taken")
    return length
