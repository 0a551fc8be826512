"""Takes the bytes of a resumable upload in, for one caller."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect

from service.api.upload.body import RequestBody
from service.api.upload.receiving import WRITE_BYTES
from service.api.upload.tus import Checksum, filename_in
from service.errors.base import ServiceError
from service.errors.upload import ChecksumMismatch, MalformedRequest
from service.metrics import UPLOAD_BYTES
from service.storage.spool import Appender, PartialUpload, UploadSpool, new_upload_id
from service.tenancy.api_keys import ApiKey
from service.tenancy.quotas import Quotas


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
        await run_sync(self.quotas.hold_bytes, self.key, upload_id, length, self.spool.keep_s)
        try:
            return await run_sync(self.spool.create, length, filename_in(metadata), metadata, upload_id)
        except ServiceError:
            await run_sync(self.quotas.let_go, self.key, upload_id)
            raise

    async def append(
        self, body: RequestBody, upload_id: str, offset: int, checksum: Checksum | None
    ) -> PartialUpload:
        """Appends a body at ``offset``. What has arrived is kept when the connection breaks.

        Raises UploadNotFound, UploadLocked, UploadOffsetMismatch, UploadTooLarge, ChecksumMismatch, MalformedRequest,
        StorageQuotaExceeded, StorageFull, BrokerUnavailable and ClientDisconnect.
        """
        length = (await run_sync(self.spool.get, upload_id)).length
        await run_sync(self.quotas.hold_bytes, self.key, upload_id, length, self.spool.keep_s)
        with self.spool.appending(upload_id, offset) as appender:
            try:
                await _receive(body, appender, checksum)
            except (ChecksumMismatch, ClientDisconnect, MalformedRequest):
                if checksum:  # What cannot be checked is as good as wrong.
                    appender.undo()
                raise
        return await run_sync(self.spool.get, upload_id)

    def remove(self, upload_id: str) -> None:
        """Removes an upload. Raises UploadNotFound and BrokerUnavailable."""
        self.spool.remove(upload_id)
        self.quotas.let_go(self.key, upload_id)


async def _receive(body: RequestBody, appender: Appender, checksum: Checksum | None) -> None:
    hasher = checksum.hasher() if checksum else None
    buffer = bytearray()
    try:
        async for chunk in body.chunks():
            UPLOAD_BYTES.inc(len(chunk))
            if hasher:
                hasher.update(chunk)
            buffer += chunk
            if len(buffer) >= WRITE_BYTES:
                data, buffer = bytes(buffer), bytearray()
                await run_sync(appender.write, data)
    finally:
        if buffer:
            await run_sync(appender.write, bytes(buffer))
    if checksum and hasher and not hmac.compare_digest(hasher.digest(), checksum.digest):
        raise ChecksumMismatch(f"The bytes do not have the {checksum.algorithm} that was sent with them.")
