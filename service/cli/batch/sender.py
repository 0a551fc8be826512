"""Makes one job of a video at a service, also over several runs of the command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

from service.cli.batch.journal import Begun, Journal
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
        self, video: Path, source: str, fields: Mapping[str, str], output: Path | None = None
    ) -> tuple[Job, bool]:
        """Returns the job of a video, and whether an earlier run had made it. Raises ClientError, OSError.

        ``source`` is the identity of the video, ``fields`` are the text parts of POST /jobs.
        """
        if not self._remote:
            return self._client.submit(
                video, options=fields, on_sent=self._on_sent, resumable_from=NEVER
            ), False
        begun = self._journal.begun(source, fields)
        if begun and begun.job:
            job = self._picked_up(begun.job)
            if job:
                return job, True
            begun = None
        return self._sent(video, source, fields, begun or self._journal.begin(source, fields, output)), False

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

    def _sent(self, video: Path, source: str, fields: Mapping[str, str], begun: Begun) -> Job:
        def remember(upload: str) -> None:
            self._journal.note(source, fields, replace(begun, upload=upload))

        try:
            job = self._client.submit(
                video,
                options=fields,
                on_sent=self._on_sent,
                idempotency_key=begun.key,
                upload=begun.upload,
                on_upload=remember,
            )
        except RequestRejected as error:
            if exit_code(error) is Exit.REFUSED:
                self._journal.forget(source, fields)
            raise
        self._journal.note(source, fields, replace(begun, job=job.id))
        return job
