"""Makes one job of a video at a service, also over several runs of the command."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

from service.cli.batch.journal import Begun, Journal
from service.cli.batch.sources import Sending, Source
from service.cli.exits import Exit, exit_code
from service.client import Client, Job, TransferCallback
from service.client.errors import RequestRejected

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT})
"""A job that was deleted, or that can no longer be retried."""

NEVER = 1 << 62
"""No file is so large."""


class Sender:
    """Sends videos, and picks up what an earlier run of the command began of them."""

    def __init__(
        self, client: Client, journal: Journal, on_sent: TransferCallback, *, remote: bool = True
    ) -> None:
        """``remote``: whether the service outlives the command. Else there is nothing to come back to."""
        self._client, self._journal, self._on_sent, self._remote = client, journal, on_sent, remote

    def send(
        self,
        source: Source,
        identity: str,
        fields: Mapping[str, str],
        output: Path | None = None,
        key: str | None = None,
    ) -> tuple[Job, bool]:
        """Returns the job of a video, and whether an earlier run had made it. Raises ClientError, OSError.

        ``identity`` is that of the video, ``fields`` are the text parts of POST /jobs; ``output`` is where the result
        goes, ``key`` an Idempotency-Key that is not to be chosen here.
        """
        if not self._remote:
            sending = Sending(fields, on_sent=self._on_sent, resumable_from=NEVER)
            return source.submit(self._client, sending), False
        entry = _Entry(self._journal, identity, _known_by(fields, key))
        begun = entry.read()
        job = self._picked_up(begun.job) if begun and begun.job else None
        if job:
            return job, True
        if begun is None or begun.job:
            begun = Begun(key or uuid.uuid4().hex, str(output.resolve()) if output else "")
        return self._sent(source, fields, begun, entry), False

    def forget(self, identity: str, fields: Mapping[str, str], key: str | None = None) -> None:
        """Forgets a video that has ended for good; sending it again then makes another job."""
        self._journal.forget(identity, _known_by(fields, key))

    def _picked_up(self, job_id: str) -> Job | None:
        """Returns the job as it goes on: one that failed or was canceled is tried again. None if it is gone."""
        try:
            job = self._client.job(job_id)
            if job.status in ("failed", "canceled"):
                job = self._client.retry(job_id)
        except RequestRejected as error:
            if error.status not in _GONE:
                raise
            return None
        return None if job.status == "expired" else job

    def _sent(self, source: Source, fields: Mapping[str, str], begun: Begun, entry: _Entry) -> Job:
        entry.write(begun)
        sending = Sending(
            fields,
            begun.key,
            self._on_sent,
            upload=begun.upload,
            on_upload=lambda upload: entry.write(replace(begun, upload=upload)),
        )
        try:
            job = source.submit(self._client, sending)
        except RequestRejected as error:
            if exit_code(error) is Exit.REFUSED:
                entry.remove()
            raise
        entry.write(replace(begun, job=job.id))
        return job


@dataclass(frozen=True)
class _Entry:
    """What the journal remembers of one video with its options."""

    journal: Journal
    identity: str
    known_by: Mapping[str, str]

    def read(self) -> Begun | None:
        return self.journal.begun(self.identity, self.known_by)

    def write(self, begun: Begun) -> None:
        self.journal.note(self.identity, self.known_by, begun)

    def remove(self) -> None:
        self.journal.forget(self.identity, self.known_by)


def _known_by(fields: Mapping[str, str], key: str | None) -> Mapping[str, str]:
    return fields if key is None else {**fields, "Idempotency-Key": key}
