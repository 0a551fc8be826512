"""Takes the bytes of a resumable upload in, for one caller."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect

from service.api.upload.body import RequestBody
from service.api.upload.receiving import WRITE_BYTES
from service.api.upload.tus import Checksum, filename_in
from service.errors.base import ServiceError
from service.errors.upload import ChecksumMismatch, MalformedRequest, UploadExpired, UploadLocked
from service.metrics import UPLOAD_BYTES
from service.storage.partial_upload import Appender, PartialUpload
from service.storage.spool import UploadSpool, new_upload_id
from service.storage.threads import on_disk
from service.tenancy.api_keys import ApiKey
from service.tenancy.quotas import Quotas

POLL_S = 0.3
"""How often a writer looks whether another request asks it to stop; what has arrived in a pause is written then."""
TAKEOVER_S = 20.0
"""How long a request waits for the writer that it has asked to stop."""


@dataclass(frozen=True)
class UploadIntake:
    """Creates resumable uploads and appends to them, within the limits of a key. ``spool`` is that of its tenant."""

    spool: UploadSpool
    quotas: Quotas
    key: ApiKey | None

    async def create(self, length: int, metadata: str) -> PartialUpload:
        """Begins an upload of ``length`` bytes.

        Raises MalformedRequest, StorageQuotaExceeded, StorageFull and BrokerUnavailable.
        """
        upload_id = new_upload_id()
        await run_sync(self.quotas.hold_bytes, self.key, upload_id, length)
        try:
            partial = await on_disk(self.spool.create, length, filename_in(metadata), metadata, upload_id)
            await run_sync(self.quotas.hold_bytes, self.key, upload_id, length, self.spool.keep_s)
            return partial
        except ServiceError:
            await run_sync(self.quotas.let_go, self.key, upload_id)
            raise

    async def append(
        self, body: RequestBody, upload_id: str, offset: int, checksum: Checksum | None
    ) -> PartialUpload:
        """Appends a body at ``offset``. What has arrived is kept when the connection breaks.

        Raises UploadNotFound, UploadExpired, UploadLocked, UploadOffsetMismatch, UploadTooLarge, ChecksumMismatch,
        MalformedRequest, StorageQuotaExceeded, StorageFull, BrokerUnavailable and ClientDisconnect.
        """
        length = (await on_disk(self.spool.get, upload_id)).length
        await run_sync(self.quotas.hold_bytes, self.key, upload_id, length, self.spool.keep_s)
        with ExitStack() as stack:
            appender = await self._taken_over(stack, upload_id, offset)
            try:
                await _receive(body, appender, checksum)
            except (ChecksumMismatch, ClientDisconnect, MalformedRequest, UploadLocked):
                if checksum:  # What cannot be checked is as good as wrong.
                    appender.undo()
                raise
        return await on_disk(self.spool.get, upload_id)

    async def _taken_over(self, stack: ExitStack, upload_id: str, offset: int) -> Appender:
        """Becomes the writer of an upload; asks one that is there to stop, whose client has mostly vanished."""
        deadline = time.monotonic() + TAKEOVER_S
        while True:
            try:
                return stack.enter_context(self.spool.appending(upload_id, offset))
            except UploadLocked:
                if time.monotonic() > deadline:
                    raise
            await on_disk(self.spool.ask_to_stop, upload_id)
            await asyncio.sleep(POLL_S / 2)

    def remove(self, upload_id: str) -> None:
        """Removes an upload. Raises UploadNotFound and BrokerUnavailable."""
        self.spool.remove(upload_id)
        self.quotas.let_go(self.key, upload_id)


async def _receive(body: RequestBody, appender: Appender, checksum: Checksum | None) -> None:
    hasher = checksum.hasher() if checksum else None
    buffer = bytearray()
    try:
        async for chunk in _until_asked_to_stop(body, appender):
            UPLOAD_BYTES.inc(len(chunk))
            if hasher:
                hasher.update(chunk)
            buffer += chunk
            if len(buffer) >= WRITE_BYTES or not chunk:
                data, buffer = bytes(buffer), bytearray()
                await on_disk(appender.write, data)
    except (UploadLocked, UploadExpired):
        buffer.clear()  # The next writer begins at the offset that it was told.
        raise
    finally:
        if buffer:
            await on_disk(appender.write, bytes(buffer))
    if checksum and hasher and not hmac.compare_digest(hasher.digest(), checksum.digest):
        raise ChecksumMismatch(f"The bytes do not have the {checksum.algorithm} that was sent with them.")


async def _until_asked_to_stop(body: RequestBody, appender: Appender) -> AsyncIterator[bytes]:
    """Yields a body as it arrives, and nothing in a pause.

    Raises UploadLocked when another request wants to write, and UploadExpired when the upload's time is over.
    """
    chunks, looked = body.chunks(), time.monotonic()
    coming = asyncio.ensure_future(anext(chunks, None))
    try:
        while True:
            await asyncio.wait({coming}, timeout=POLL_S)
            if time.monotonic() - looked >= POLL_S:
                looked = time.monotonic()
                appender.require_turn()
            if not coming.done():
                yield b""
            elif (chunk := coming.result()) is None:
                return
            else:
                yield chunk
                coming = asyncio.ensure_future(anext(chunks, None))
    finally:
        coming.cancel()
