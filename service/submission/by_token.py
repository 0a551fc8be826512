"""Makes the one job of an upload token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self

from anyio.to_thread import run_sync

from service.errors.access import ScopeMissing
from service.jobs.job import Job, Order
from service.options import EncodingOptions, RestorationOptions
from service.submission.received import ReceivedUpload
from service.submission.submitter import Submitter
from service.tenancy.quotas import Reservation
from service.tenancy.upload_tokens import UploadToken, UploadTokens

BROWSERS_OWN = frozenset(
    {*EncodingOptions.model_fields, *RestorationOptions.model_fields, "stages", "start", "end", "strict"}
)
"""What a browser may choose where its token fixes no options: how its video is restored; neither whom the service calls
nor who has to wait for it."""


@dataclass(frozen=True)
class TokenSubmitter(Submitter):
    """A submitter for a browser with an upload token.

    The token takes the place of the Idempotency-Key, so that whatever is sent again gives the same job.
    """

    tokens: UploadTokens
    token: UploadToken

    @classmethod
    def of(cls, submitter: Submitter, token: UploadToken, tokens: UploadTokens) -> Self:
        """Returns the submitter with what a token allows."""
        parts = {field.name: getattr(submitter, field.name) for field in fields(submitter)}
        return cls(**parts, tokens=tokens, token=token)

    def idempotency_key(self, _sent: str | None) -> str:
        """Returns a key of the token's own."""
        return f"upload-token:{self.token.id}"

    def check_form(self, _fields: Mapping[str, str]) -> None:
        """Refuses a form with a file. Raises ScopeMissing."""
        raise ScopeMissing("With an upload token, a video goes to /uploads; POST /jobs takes its id alone.")

    async def submit(self, received: ReceivedUpload, room: Reservation, idempotency_key: str | None) -> Job:
        """Queues the job of the token's upload, with the options that the token fixes or leaves to the browser.

        Raises ScopeMissing, and what ``Submitter.submit`` does.
        """
        if received.spooled is None or received.spooled != self.token.upload_id:
            raise ScopeMissing("An upload token makes a job of its own upload alone.")
        allowed = replace(received, fields=self._options(received.fields))
        job = await super().submit(allowed, room, idempotency_key)
        await run_sync(self.tokens.own_job, self.token.id, job.id)
        return job

    async def submit_order(self, _order: Order, _room: Reservation, _idempotency_key: str | None) -> Job:
        """Refuses videos of other servers. Raises ScopeMissing."""
        raise ScopeMissing("An upload token makes a job of its own upload alone.")

    def _options(self, chosen: dict[str, str]) -> dict[str, str]:
        fixed = self.token.grant.options
        refused = sorted(chosen.keys() if fixed is not None else chosen.keys() - BROWSERS_OWN)
        if refused:
            raise ScopeMissing(f"This upload token does not leave the choice of {refused[0][:64]!r} to you.")
        return chosen if fixed is None else dict(fixed)
