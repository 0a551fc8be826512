"""``cdvd deblur``: videos in, videos out, on a running service or on one started for them alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from service.cli.batch import Item
from service.cli.console import JobBar, complain, job_bar, note, say_json, wrote
from service.cli.exits import Exit, error_json, exit_code
from service.cli.jobs import follow
from service.client import RESUMABLE_FROM_BYTES, Client, Job
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.errors import ServiceError, ServiceUnreachable
from service.local.signals import sigterm_exits

NEVER = 1 << 62
"""No file is so large: nothing breaks on the way to a service on this machine, which would write it twice."""


@dataclass(frozen=True)
class Request:
    items: Sequence[Item]
    fields: Mapping[str, str] = field(default_factory=dict)
    """Text parts of POST /jobs."""
    url: str | None = None
    """Of a running service; without one, a service is started for these videos alone."""
    models: Path | None = None
    """The model repository of the service that is started here."""


@dataclass(frozen=True)
class Outcome:
    """What became of one video: its job, or why there is none."""

    item: Item
    job: Job | None = None
    error: ServiceError | OSError | None = None

    @property
    def status(self) -> str:
        return "failed" if self.error else "done" if self.job else "skipped"

    def to_json(self) -> dict[str, Any]:
        return {
            "source": str(self.item.source),
            "output": str(self.item.output),
            "status": self.status,
            "job": asdict(self.job) if self.job else None,
            "error": error_json(self.error) if self.error else None,
        }


def deblur(request: Request, *, as_json: bool) -> Exit:
    """Restore every video that is not done, telling what became of each; one that fails does not stop the others.

    Raises ServiceError when there is no service. When interrupted or terminated, the job at work is canceled
    before KeyboardInterrupt or SystemExit goes on.
    """
    outcomes = [Outcome(item) for item in request.items if item.done]
    for outcome in outcomes:
        note(f"{outcome.item.source}: {outcome.item.output} is there already; --force makes it again")
    waiting = [item for item in request.items if not item.done]
    if waiting:
        with sigterm_exits(), job_bar(quiet=as_json) as bar, _service(request) as url, Client(url) as client:
            outcomes += _all(client, request, waiting, bar, as_json=as_json)
            if request.url is None:
                bar.stopping()
    _summarize(outcomes, as_json=as_json)
    return _exit(outcomes)


def _all(
    client: Client, request: Request, items: Sequence[Item], bar: JobBar, *, as_json: bool
) -> Iterator[Outcome]:
    gone: ServiceUnreachable | None = None
    for number, item in enumerate(items, 1):
        bar.begin(item.source.name, number, len(items))
        outcome = Outcome(item, error=gone) if gone else _one(client, request, item, bar)
        if isinstance(outcome.error, ServiceUnreachable):
            gone = outcome.error  # the others would wait in vain
        with bar.aside():
            _tell(outcome, as_json=as_json)
        yield outcome


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    if outcome.error:
        complain(f"{outcome.item.source}: {outcome.error}")
    elif outcome.job and not as_json:
        wrote(outcome.job, outcome.item.output)


def _one(client: Client, request: Request, item: Item, bar: JobBar) -> Outcome:
    try:
        item.output.parent.mkdir(parents=True, exist_ok=True)
        job = client.submit(
            item.source,
            options=request.fields,
            on_sent=bar.sent,
            resumable_from=RESUMABLE_FROM_BYTES if request.url else NEVER,
        )
        with _canceled_when_interrupted(client, job):
            job = follow(client, job, item.output, bar, keep_part=request.url is not None)
    except (ServiceError, OSError) as error:
        return Outcome(item, error=error)
    return Outcome(item, job)


def _summarize(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    counts = {
        status: sum(outcome.status == status for outcome in outcomes)
        for status in ("done", "skipped", "failed")
    }
    if as_json:
        say_json({**counts, "videos": [outcome.to_json() for outcome in outcomes]})
    elif len(outcomes) > 1:
        note(", ".join(f"{count} {status}" for status, count in counts.items()))


def _exit(outcomes: Sequence[Outcome]) -> Exit:
    """What all failures agree on, else FAILED."""
    codes = {exit_code(outcome.error) for outcome in outcomes if outcome.error}
    if not codes:
        return Exit.OK
    return codes.pop() if len(codes) == 1 else Exit.FAILED


@contextmanager
def _service(request: Request) -> Iterator[str]:
    """The address of the service: the one named, or one that lives as long as this context."""
    if request.url:
        yield request.url
        return
    base = EmbeddedOptions()
    with tempfile.TemporaryDirectory(prefix="cdvd-") as data:
        options = EmbeddedOptions(
            data=Path(data),
            models=request.models or base.models,
            model=request.fields.get("model") or base.model,
        )
        with EmbeddedStack(options) as stack:
            yield stack.url


@contextmanager
def _canceled_when_interrupted(client: Client, job: Job) -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        with suppress(ServiceError):
            client.cancel(job.id)
        raise
