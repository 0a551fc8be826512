"""Videos through a service, a few at a time: one is sent while another is restored."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus

from service.cli.batch import Item
from service.cli.console import JobBar
from service.cli.jobs import fetch
from service.cli.outcome import Outcome
from service.client import RESUMABLE_FROM_BYTES, Client, Job
from service.client.errors import RequestRejected, ServiceUnreachable
from service.errors.base import ServiceError

NEVER = 1 << 62
"""No file is so large."""


@dataclass(frozen=True)
class Begun:
    """A video whose job is at the service, or that got none."""

    item: Item
    title: str
    job: Job | None = None
    error: ServiceError | OSError | None = None


@dataclass(frozen=True)
class Manner:
    """How videos are restored."""

    fields: Mapping[str, str]
    """Text parts of POST /jobs."""
    parallel: int
    """Jobs at the service at a time."""
    remote: bool
    """Whether connections may break. On this machine nothing is gained by sending or fetching in parts."""


class Restorer:
    """Restores videos in order; one that fails does not stop the others."""

    def __init__(self, client: Client, bar: JobBar, manner: Manner) -> None:
        self._client, self._bar, self._manner = client, bar, manner
        self._parallel = manner.parallel
        self._begun: deque[Begun] = deque()
        self._gone: ServiceUnreachable | None = None

    def restore(self, items: Sequence[Item]) -> Generator[Outcome, None, None]:
        """Jobs that have not ended when this is left, for whatever reason, are canceled."""
        waiting = deque(
            (item, f"[{number}/{len(items)}] {item.source.name}: " if len(items) > 1 else "")
            for number, item in enumerate(items, 1)
        )
        try:
            while waiting or self._begun:
                while waiting and len(self._begun) < self._parallel and self._begin(*waiting[0]):
                    waiting.popleft()
                outcome = self._finish(self._begun[0])
                self._begun.popleft()
                yield outcome
        finally:
            self._cancel()

    def _begin(self, item: Item, title: str) -> bool:
        """Send a video; False if the service takes no more until another one has ended."""
        self._bar.title = title
        try:
            job = self._gone is None and self._submit(item)
        except (ServiceError, OSError) as error:
            if self._begun and isinstance(error, RequestRejected) and _is_too_much(error):
                self._parallel = len(self._begun)
                return False
            self._note(error)
            self._begun.append(Begun(item, title, error=error))
        else:
            self._begun.append(Begun(item, title, job or None, self._gone))
        return True

    def _submit(self, item: Item) -> Job:
        item.output.parent.mkdir(parents=True, exist_ok=True)
        return self._client.submit(
            item.source,
            options=self._manner.fields,
            on_sent=self._bar.sent,
            resumable_from=RESUMABLE_FROM_BYTES if self._manner.remote else NEVER,
        )

    def _finish(self, begun: Begun) -> Outcome:
        if begun.job is None:
            return Outcome(begun.item, error=begun.error)
        self._bar.title = begun.title
        keep = self._manner.remote
        try:
            job = self._client.wait(begun.job.id, on_change=self._bar.job)
            fetch(self._client, job, begun.item.output, self._bar, keep_part=keep)
        except (ServiceError, OSError) as error:
            self._note(error)
            return Outcome(begun.item, error=error)
        return Outcome(begun.item, job)

    def _note(self, error: Exception) -> None:
        """Where there is no service any more, the others would wait in vain."""
        if isinstance(error, ServiceUnreachable):
            self._gone = error

    def _cancel(self) -> None:
        for begun in self._begun:
            if begun.job:
                with suppress(ServiceError):
                    self._client.cancel(begun.job.id)


def _is_too_much(error: RequestRejected) -> bool:
    return error.status == HTTPStatus.TOO_MANY_REQUESTS
