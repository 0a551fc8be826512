"""Takes in the one upload of an upload token."""

from __future__ import annotations

from dataclasses import dataclass

from anyio.to_thread import run_sync

from service.api.upload.appending import UploadIntake
from service.errors.access import UploadTokenUsed
from service.errors.upload import UploadNotFound
from service.storage.partial_upload import PartialUpload
from service.storage.threads import on_disk
from service.tenancy.upload_tokens import UploadToken, UploadTokens


@dataclass(frozen=True)
class TokenIntake(UploadIntake):
    """An intake that begins one upload, whose id the token then bears."""

    tokens: UploadTokens
    token: UploadToken

    async def create(self, length: int, metadata: str) -> PartialUpload:
        """Begins the upload; returns it once more to a client that lost the answer and asks for the same again.

        Raises UploadTokenUsed for another upload, and what ``UploadIntake.create`` does.
        """
        if self.token.upload_id is not None:
            return await self._again(self.token.upload_id, length, metadata)
        partial = await super().create(length, metadata)
        own = await run_sync(self.tokens.own_upload, self.token.id, partial.id)
        if own == partial.id:
            return partial
        await run_sync(self.remove, partial.id)
        return await self._again(own or "", length, metadata)

    async def _again(self, upload_id: str, length: int, metadata: str) -> PartialUpload:
        try:
            earlier = await on_disk(self.spool.get, upload_id)
        except UploadNotFound:
            earlier = None
        if earlier is None or (earlier.length, earlier.metadata) != (length, metadata):
            raise UploadTokenUsed("This upload token was used for another upload; ask for another token.")
        return earlier
