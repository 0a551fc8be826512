"""Provides the client that blocks."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import httpx

from service.client.effects import Emit, Operation, T
from service.client.execution import Execution
from service.client.executor import Executor
from service.client.http.calls import TransferCallback
from service.client.http.transport import http_settings, transport_errors
from service.client.jobs.submission import RESUMABLE_FROM_BYTES, Submission
from service.client.model import Description, Estimate, Event, Job, Sharpness
from service.client.operations import Operations
from service.client.retry_policy import OUTAGE_S


class Client:
    """A client of one service, with one connection pool. Its methods raise ClientError.

    ``key`` is sent as a bearer token; without it, the CDVD_KEY of the environment is. ``outage_s`` is for how many
    seconds the service may be away during a call.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        outage_s: float = OUTAGE_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._operations = Operations(outage_s)
        with transport_errors(url):
            self._http = httpx.Client(**http_settings(url, key), transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def submit(  # noqa: PLR0913  # one parameter per option
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: TransferCallback | None = None,
        idempotency_key: str | None = None,
        resumable_from: int = RESUMABLE_FROM_BYTES,
        upload: str | None = None,
        on_upload: Callable[[str], None] | None = None,
    ) -> Job:
        """Uploads ``video`` and returns the queued job.

        ``options`` are the text parts that POST /jobs takes, for example ``{"model": "cdvd_lite"}``. A file of
        ``resumable_from`` bytes or more goes on where a broken connection left it, a smaller one is sent again.
        However often that is, it makes one job; under the same ``idempotency_key`` so do several calls.
        ``on_upload`` is given the id of a resumable upload when it begins. Another process goes on with it if it is
        given as ``upload``, for the same video under the same key; one that has expired begins anew.
        """
        key, fields = idempotency_key or uuid.uuid4().hex, dict(options or {})
        return self._run(
            self._operations.submit(
                Submission(Path(video), key, fields, resumable_from, on_sent, upload, on_upload)
            )
        )

    def submit_url(
        self,
        input_url: str,
        *,
        output_url: str | None = None,
        idempotency_key: str | None = None,
        **options: str | float | None,
    ) -> Job:
        """Has the service fetch the video at ``input_url``, and returns its job, whose ``input`` is None until then.

        ``output_url`` is sent the result with one PUT, ``webhook_url`` is told the end; ``options`` are those of POST
        /jobs, such as ``crf=20``. All attempts, and calls under the same ``idempotency_key``, make one job.
        """
        asked, key = {**options, "output_url": output_url}, idempotency_key or uuid.uuid4().hex
        return self._run(self._operations.submit_url(input_url, asked, key))

    def submit_again(
        self, job_id: str, *, idempotency_key: str | None = None, **options: str | float | None
    ) -> Job:
        """Restores the video of a job once more, without sending it again, and returns the new job.

        ``options`` are those of POST /jobs; none is taken over from the other job. All attempts, and calls under the
        same ``idempotency_key``, make one job.
        """
        return self._run(self._operations.submit_again(job_id, options, idempotency_key or uuid.uuid4().hex))

    def job(self, job_id: str) -> Job:
        """Returns a job as it is now."""
        return self._run(self._operations.job(job_id))

    def jobs(self, *, status: str | None = None, page_size: int = 50) -> Iterator[Job]:
        """Iterates over all jobs, newest first, fetched page by page as they are wanted."""
        return self._iterate(self._operations.jobs(status, page_size))

    def wait(
        self, job_id: str, *, on_change: Callable[[Job], None] | None = None, timeout_s: float | None = None
    ) -> Job:
        """Returns the job once it has a final status, whichever it is; ``on_change`` is given every change of it.

        Follows the event stream, and polls at the pace that the service asks for where no stream gets through.
        Raises WaitTimedOut after ``timeout_s``.
        """
        return self._run(self._operations.wait(job_id, on_change, timeout_s))

    def events(self, job_id: str, *, after: str = "") -> Iterator[Event]:
        """Iterates over the job's events after the one with the id ``after``, as they happen, until the job ends."""
        return self._iterate(self._operations.events(job_id, after))

    def download(
        self,
        job_id: str,
        output: str | os.PathLike[str],
        *,
        on_received: TransferCallback | None = None,
        keep_part: bool = True,
    ) -> Path:
        """Downloads the result into ``output``, which appears whole or not at all, and replaces what was there.

        The download resumes where a connection broke. With ``keep_part``, so does one that was given up:
        what has arrived stays beside ``output`` under a hidden name. Raises RequestRejected while there is no
        result, DownloadDamaged when the bytes are not those that the job announces.
        """
        return self._run(self._operations.download(job_id, Path(output), on_received, keep_part=keep_part))

    def download_side_by_side(
        self,
        job_id: str,
        output: str | os.PathLike[str],
        *,
        on_made: TransferCallback | None = None,
        on_received: TransferCallback | None = None,
    ) -> Path:
        """Downloads one video with the upload on the left and the result on the right into ``output``.

        The service makes it when it is first asked for; ``on_made`` is called with (frames done, frames in total)
        meanwhile. Raises RequestRejected unless the job has succeeded. Otherwise like ``download``.
        """
        return self._run(self._operations.download_side_by_side(job_id, Path(output), on_made, on_received))

    def cancel(self, job_id: str) -> Job:
        """Asks the service to stop a job; what is restored already is kept."""
        return self._run(self._operations.cancel(job_id))

    def retry(self, job_id: str) -> Job:
        """Asks the service to go on with a failed or canceled job from its finished segments."""
        return self._run(self._operations.retry(job_id))

    def delete(self, job_id: str) -> None:
        """Deletes a job and its files."""
        self._run(self._operations.delete(job_id))

    def report(self, job_id: str) -> dict[str, Any]:
        """Returns the fidelity report, as the service wrote it."""
        return self._run(self._operations.report(job_id))

    def preview(self, job_id: str, frame: int, *, view: str = "after") -> bytes:
        """Returns a frame as JPEG; ``view`` is before, after, side or prior."""
        return self._run(self._operations.preview(job_id, frame, view))

    def sharpness(self, job_id: str) -> Sharpness:
        """Returns how sharp every frame was and became, so far."""
        return self._run(self._operations.sharpness(job_id))

    def models(self) -> list[dict[str, Any]]:
        """Returns the models that jobs may name, as the service describes them."""
        return self._run(self._operations.models())

    def estimate(self, video: Description) -> Estimate:
        """Returns what a video of this description would take."""
        return self._run(self._operations.estimate(video))

    def estimate_file(
        self,
        video: str | os.PathLike[str],
        *,
        options: Mapping[str, str] | None = None,
        on_sent: TransferCallback | None = None,
    ) -> Estimate:
        """Returns what a video file would take; the service receives it, probes it and deletes it."""
        return self._run(self._operations.estimate_file(Path(video), dict(options or {}), on_sent))

    def _run(self, operation: Operation[T]) -> T:
        with closing(Executor(self._http)) as executor, closing(Execution(operation)) as execution:
            while execution.effect is not None:
                executor.perform(execution)
            return execution.result

    def _iterate(self, operation: Operation[None]) -> Iterator[Any]:
        with closing(Executor(self._http)) as executor, closing(Execution(operation)) as execution:
            while execution.effect is not None:
                if isinstance(execution.effect, Emit):
                    yield execution.effect.value
                    execution.resume(None)
                else:
                    executor.perform(execution)
