"""Restores videos at a service, a few at a time: one is sent while another is restored."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from service.cli.batch.outcome import Outcome
from service.cli.batch.plan import Item
from service.cli.output.progress import JobBar
from service.cli.results import fetch
from service.client import RESUMABLE_FROM_BYTES, Client, Job
from service.client.errors import RequestRejected, ServiceUnreachable
from service.errors.base import ServiceError

NEVER = 1 << 62
"""No file is so large."""


@dataclass(frozen=True)
class Submission:
    """A video whose job is at the service, or why it got none."""

    item: Item
    title: str
    job: Job | None = None
    error: ServiceError | OSError | None = None


@dataclass(frozen=True)
class RestoreOptions:
    """How the videos of a batch are restored."""

    fields: Mapping[str, str]
    """Text parts of POST /jobs."""
    parallel: int
    """Jobs at the service at a time."""
    remote: bool
    """Whether connections may break. On this machine nothing is gained by sending or fetching in parts."""


class Restorer:
    """Restores videos in order; one that fails does not stop the others."""

    def __init__(self, client: Client, bar: JobBar, options: RestoreOptions) -> None:
        self._client, self._bar, self._options = client, bar, options
        self._parallel = options.parallel
        self._submissions: deque[Submission] = deque()
        self._outage: ServiceUnreachable | None = None

    def restore(self, items: Sequence[Item]) -> Generator[Outcome, None, None]:
        """Yields the outcome of every video, in order. When it is left early, the jobs at the service are canceled."""
        waiting = deque(
            (item, f"[{number}/{len(items)}] {item.source.name}: " if len(items) > 1 else "")
            for number, item in enumerate(items, 1)
        )
        try:
            while waiting or self._submissions:
                while waiting and len(self._submissions) < self._parallel and self._submit(*waiting[0]):
                    waiting.popleft()
                outcome = self._finish(self._submissions[0])
                self._submissions.popleft()
                yield outcome
        finally:
            self._cancel()

    def _submit(self, item: Item, title: str) -> bool:
        """Sends a video. Returns False if the service takes no more until another one has ended."""
        self._bar.title = title
        try:
            job = self._send(item) if self._outage is None else None
        except (ServiceError, OSError) as error:
            if self._submissions and isinstance(error, RequestRejected) and _is_too_much(error):
                self._parallel = len(self._submissions)
                return False
            self._remember(error)
            self._submissions.append(Submission(item, title, error=error))
        else:
            self._submissions.append(Submission(item, title, job, self._outage))
        return True

    def _send(self, item: Item) -> Job:
        item.output.parent.mkdir(parents=True, exist_ok=True)
        return self._client.submit(
            item.source,
            options={**self._options.fields, **({"container": item.container} if item.container else {})},
            on_sent=self._bar.sent,
            resumable_from=RESUMABLE_FROM_BYTES if self._options.remote else NEVER,
        )

    def _finish(self, submission: Submission) -> Outcome:
        """Waits for a job and fetches its result."""
        item = submission.item
        if submission.job is None:
            return Outcome(item, error=submission.error)
        self._bar.title = submission.title
        try:
            job = self._client.wait(submission.job.id, on_change=self._bar.job)
            fetch(self._client, job, item.output, self._bar, keep_part=self._options.remote)
        except (ServiceError, OSError) as error:
            self._remember(error)
            return Outcome(item, error=error)
        return Outcome(item, job)

    def _remember(self, error: Exception) -> None:
        """Keeps an error that leaves no service to send the other videos to."""
        if isinstance(error, ServiceUnreachable):
            self._outage = error

    def _cancel(self) -> None:
        for submission in self._submissions:
            if submission.job:
                with suppress(ServiceError):
                    self._client.cancel(submission.job.id)


def _is_too_much(error: RequestRejected) -> bool:
    return error.status == HTTPStatus.TOO_MANY_REQUESTS
