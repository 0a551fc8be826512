"""``cdvd deblur``: one file in, one file out, on a running service or on one started for this job alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.cli.console import job_bar
from service.cli.jobs import follow
from service.client import Client, Job
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.errors import ServiceError
from service.local.signals import sigterm_exits


@dataclass(frozen=True)
class Request:
    source: Path
    output: Path
    model: str | None = None
    url: str | None = None
    """Of a running service; without one, a service is started for this job alone."""
    models: Path | None = None
    """The model repository of the service that is started here."""


def deblur(request: Request, *, quiet: bool = False) -> Job:
    """Restore the source into the output, which appears whole or not at all.

    Raises ServiceError with the reason when there will be no result. When interrupted or
    terminated, the job is canceled before KeyboardInterrupt or SystemExit goes on.
    """
    options = {"model": request.model} if request.model else {}
    with sigterm_exits(), job_bar(quiet=quiet) as bar, _service(request) as url, Client(url) as client:
        job = client.submit(request.source, options=options, on_sent=bar.sent)
        with _canceled_when_interrupted(client, job):
            job = follow(client, job, request.output, bar)
        if request.url is None:
            bar.stopping()
    return job


@contextmanager
def _service(request: Request) -> Iterator[str]:
    """The address of the service: the one named, or one that lives as long as this context."""
    if request.url:
        yield request.url
        return
    base = EmbeddedOptions()
    with tempfile.TemporaryDirectory(prefix="cdvd-") as data:
        options = EmbeddedOptions(
            data=Path(data), models=request.models or base.models, model=request.model or base.model
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
