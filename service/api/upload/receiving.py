"""Receives the body of ``POST /jobs``: counts it while it streams to storage, and removes it if it is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import TypeVar

import anyio
from starlette.requests import Request

from service.api.upload.body import RequestBody
from service.api.upload.multipart import SOURCE_FIELD, UPLOAD_FIELD, UploadForm, boundary_of
from service.errors.base import ServiceError
from service.errors.submission import InvalidOption
from service.errors.upload import EmptyUpload, UploadTooLarge
from service.jobs.job import new_job_id
from service.metrics import UPLOAD_BYTES, UPLOAD_SECONDS, UPLOADS
from service.options import JobOptions
from service.storage.store import Storage, Upload
from service.storage.threads import on_disk
from service.submission.filenames import FALLBACK_NAME
from service.submission.received import ReceivedUpload
from service.text import plural
from service.tracing import span

T = TypeVar("T")

FORM_OVERHEAD_BYTES = 128 * 1024
"""What boundaries, headers and fields may add to the file."""

WRITE_BYTES = 256 << 10
"""Bytes collected before a thread writes them: a thread per network packet would cost more than the write. Of hundreds
of uploads at once each holds so many."""


@contextmanager
def counted_outcome() -> Iterator[None]:
    """Counts an upload as accepted, or under the code of the error that ends it."""
    try:
        yield
    except ServiceError as error:
        UPLOADS.labels(error.code).inc()
        raise
    UPLOADS.labels("accepted").inc()


@asynccontextmanager
async def received_upload(
    request: Request,
    storage: Storage,
    max_bytes: int,
    check: Callable[[dict[str, str]], object] = JobOptions.from_text,
) -> AsyncIterator[ReceivedUpload]:
    """Yields the upload in a request's body; removes it on leaving, unless it was kept.

    The headers and the options in the query are checked before a byte of the body is read.
    ``check`` sees these and the fields that come ahead of the file before it is read.
    Raises MalformedRequest, UploadTooLarge, EmptyUpload, StorageFull and StorageUnavailable, and what ``check`` raises.
    """
    body = RequestBody(request)
    query = dict(request.query_params)
    try:
        boundary = boundary_of(request.headers.get("content-type", ""))
        JobOptions.from_text(query)
        length = _checked_length(request, max_bytes)
        upload = await on_disk(storage.begin_upload, new_job_id(), length)
    except ServiceError:
        await body.drain()
        raise
    sink = _FileSink(upload, max_bytes)
    try:
        form = UploadForm(boundary, sink.take, lambda fields: check(given_together(query, fields)))
        yield await _receive(body, sink, form, query)
    finally:
        with anyio.CancelScope(shield=True):
            await on_disk(upload.discard)


def given_together(query: Mapping[str, T], fields: Mapping[str, T]) -> dict[str, T]:
    """Returns the options in the query and in the body as one. Raises InvalidOption for one that is in both."""
    for name in query:
        if name in fields:
            raise InvalidOption(f"The option {name} is given twice: in the query and in the body.")
    return {**query, **fields}


def declared_length(request: Request) -> int:
    """Returns the Content-Length in bytes, 0 if there is none."""
    text = request.headers.get("content-length", "0")
    return int(text) if text.isdecimal() else 0


class _FileSink:
    """Collects what the form hands over, counts it, and writes it in threads."""

    def __init__(self, upload: Upload, max_bytes: int) -> None:
        self.upload = upload
        self._max_bytes = max_bytes
        self._taken = 0
        self._buffer = bytearray()

    def take(self, data: bytes) -> None:
        """Adds bytes of the file, without waiting for the disk. Raises UploadTooLarge."""
        self._taken += len(data)
        if self._taken > self._max_bytes:
            raise UploadTooLarge(
                f"The video is larger than the limit, which is {plural(self._max_bytes, 'byte')}."
            )
        self._buffer += data

    async def flush(self, at_least: int = 1) -> None:
        """Writes what was collected if that is ``at_least`` so many bytes. Raises StorageError."""
        if len(self._buffer) >= at_least:
            data, self._buffer = bytes(self._buffer), bytearray()
            await on_disk(self.upload.write, data)

    async def finish(self) -> str:
        """Writes the rest and returns the SHA-256 of the file in hex. Raises EmptyUpload and StorageError."""
        await self.flush()
        if not self._taken:
            raise EmptyUpload("The file is empty; send a video.")
        return await on_disk(self.upload.finish)


async def _receive(
    body: RequestBody, sink: _FileSink, form: UploadForm, query: Mapping[str, str]
) -> ReceivedUpload:
    try:
        with UPLOAD_SECONDS.time(), span("receive"):
            async for chunk in body.chunks():
                UPLOAD_BYTES.inc(len(chunk))
                form.feed(chunk)
                await sink.flush(WRITE_BYTES)
            form.close()
            if form.filename is None:
                spooled, source = (form.fields.pop(name, None) for name in (UPLOAD_FIELD, SOURCE_FIELD))
                fields = given_together(query, form.fields)
                return ReceivedUpload(sink.upload, FALLBACK_NAME, "", fields, spooled, source)
            fields = given_together(query, form.fields)
            digest = await sink.finish()
    except ServiceError:
        await body.drain()
        raise
    return ReceivedUpload(sink.upload, form.filename or FALLBACK_NAME, digest, fields)


def _checked_length(request: Request, max_bytes: int) -> int:
    length = declared_length(request)
    if length > max_bytes + FORM_OVERHEAD_BYTES:
        limit = plural(max_bytes, "byte")
        raise UploadTooLarge(f"The request has {plural(length, 'byte')}; a video may have {limit}.")
    return length
