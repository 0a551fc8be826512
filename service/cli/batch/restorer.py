"""Restores videos at a service, a few at a time: one is sent while another is restored."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from service.cli.batch.journal import Journal
from service.cli.batch.outcome import Outcome
from service.cli.batch.plan import Item
from service.cli.batch.sender import Sender
from service.cli.output.lines import note
from service.cli.output.pace import BatchPace
from service.cli.output.progress import JobBar
from service.cli.results import fetch
from service.client import Client, Job
from service.client.errors import RequestRejected, ServiceUnreachable, WaitTimedOut
from service.errors.base import ServiceError

LOOK_S = 1.0
"""Seconds between two looks for videos that have arrived."""
CANCEL_S = 1.0
"""Most seconds that whoever interrupts a batch waits for its jobs to be canceled."""


@dataclass(frozen=True)
class Submission:
    """A video whose job is at the service, or why it got none."""

    item: Item
    title: str
    identity: str = ""
    """Of the video as it was sent."""
    job: Job | None = None
    error: ServiceError | OSError | None = None


@dataclass(frozen=True)
class RestoreOptions:
    """How the videos of a batch are restored."""

    parallel: int
    """Jobs at the service at a time."""
    remote: bool
    """Whether connections may break, and jobs outlive this command."""


class Restorer:
    """Restores videos; one that fails does not stop the others."""

    def __init__(self, client: Client, bar: JobBar, options: RestoreOptions, journal: Journal) -> None:
        self._client, self._bar, self._options, self._journal = client, bar, options, journal
        self._sender = Sender(client, journal, bar.sent, remote=options.remote)
        self._parallel = options.parallel
        self._submissions: deque[Submission] = deque()
        self._outage: ServiceUnreachable | None = None

    def restore(self, items: Sequence[Item]) -> Generator[Outcome, None, None]:
        """Yields the outcome of every video, in order. When it is left early, the jobs at the service are canceled."""
        several = len(items) > 1
        waiting = deque(
            (item, f"[{number}/{len(items)}] {item.source.name}: " if several else "")
            for number, item in enumerate(items, 1)
        )
        self._bar.pace = BatchPace(sum(item.source.size for item in items)) if several else None
        try:
            while waiting or self._submissions:
                self._fill(waiting)
                outcome = self._finish(self._submissions[0])
                self._submissions.popleft()
                self._count(outcome)
                yield outcome
        finally:
            self._cancel()

    def follow(self, arrived: Callable[[], Iterable[Item]]) -> Generator[Outcome | None, None, None]:
        """Yields outcomes of videos that arrive, as they end, and None where nothing has ended for a moment.

        ``arrived`` is asked for new ones about every ``LOOK_S``. Goes on until it is left, which cancels the jobs at
        the service.
        """
        waiting: deque[tuple[Item, str]] = deque()
        try:
            while True:
                self._outage, self._parallel = None, self._options.parallel
                waiting.extend((item, f"{item.source.name}: ") for item in arrived())
                self._fill(waiting)
                outcome = self._first_end()
                yield outcome
        finally:
            self._cancel()

    def _first_end(self) -> Outcome | None:
        """Waits a little for the first submission, which then goes to the end of the row."""
        if not self._submissions:
            self._bar.idle()
            time.sleep(LOOK_S)
            return None
        try:
            outcome = self._finish(self._submissions[0], LOOK_S)
        except WaitTimedOut:
            self._submissions.rotate(-1)
            return None
        self._submissions.popleft()
        return outcome

    def _fill(self, waiting: deque[tuple[Item, str]]) -> None:
        while waiting and len(self._submissions) < self._parallel and self._submit(*waiting[0]):
            waiting.popleft()

    def _submit(self, item: Item, title: str) -> bool:
        """Sends a video. Returns False if the service takes no more until another one has ended."""
        self._bar.title = title
        try:
            submission = self._send(item, title)
        except (ServiceError, OSError) as error:
            if self._submissions and isinstance(error, RequestRejected) and _is_too_much(error):
                self._parallel = len(self._submissions)
                return False
            self._remember(error)
            submission = Submission(item, title, error=error)
        self._submissions.append(submission)
        return True

    def _send(self, item: Item, title: str) -> Submission:
        if self._outage:
            return Submission(item, title, error=self._outage)
        item.output.parent.mkdir(parents=True, exist_ok=True)
        identity = item.source.identity
        job, again = self._sender.send(item.source, identity, item.fields, item.output)
        if again:
            with self._bar.aside():
                note(f"{item.source}: goes on with job {job.id} of an earlier run.")
        return Submission(item, title, identity, job)

    def _finish(self, submission: Submission, timeout_s: float | None = None) -> Outcome:
        """Waits for a job and fetches its result. Raises WaitTimedOut."""
        item = submission.item
        if submission.job is None:
            return Outcome(item, error=submission.error)
        self._bar.title = submission.title
        if self._bar.pace:
            self._bar.pace.current = item.source.size
        try:
            job = self._client.wait(submission.job.id, on_change=self._bar.job, timeout_s=timeout_s)
            fetch(self._client, job, item.output, self._bar, keep_part=self._options.remote)
            self._journal.record(item.output, submission.identity, item.options)
            self._journal.forget(submission.identity, item.fields)
        except WaitTimedOut:
            raise
        except (ServiceError, OSError) as error:
            self._remember(error)
            return Outcome(item, error=error)
        return Outcome(item, job)

    def _count(self, outcome: Outcome) -> None:
        if pace := self._bar.pace:
            (pace.dropped if outcome.error else pace.restored)(outcome.item.source.size)
            pace.current = 0

    def _remember(self, error: Exception) -> None:
        """Keeps an error that leaves no service to send the other videos to."""
        if isinstance(error, ServiceUnreachable):
            self._outage = error

    def _cancel(self) -> None:
        """Cancels the jobs at the service, which the same command tries again; waits for ``CANCEL_S`` at most."""
        jobs = [submission.job.id for submission in self._submissions if submission.job]

        def cancel() -> None:
            for job in jobs:
                with suppress(ServiceError, RuntimeError):  # RuntimeError: closed, since this took too long
                    self._client.cancel(job)

        if jobs and self._options.remote:
            canceling = threading.Thread(target=cancel, daemon=True)
            canceling.start()
            canceling.join(CANCEL_S)


def _is_too_much(error: RequestRejected) -> bool:
    return error.status == HTTPStatus.TOO_MANY_REQUESTS
