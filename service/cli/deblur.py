"""``cdvd deblur``: videos in, videos out, on a running service or on one started for them alone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.cli.batch import Item
from service.cli.console import job_bar
from service.cli.exits import Exit
from service.cli.outcome import Outcome, summarize, tell
from service.cli.restoring import Manner, Restorer
from service.client import Client
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.local.signals import sigterm_exits


@dataclass(frozen=True)
class Request:
    items: Sequence[Item]
    fields: Mapping[str, str] = field(default_factory=dict)
    """Text parts of POST /jobs."""
    url: str | None = None
    """Of a running service; without one, a service is started for these videos alone."""
    models: Path | None = None
    """The model repository of the service that is started here."""
    parallel: int = 2
    """Jobs at the service at a time."""


def deblur(request: Request, *, as_json: bool) -> Exit:
    """Restore every video that is not done, telling what became of each; one that fails does not stop the others.

    Raises ServiceError when there is no service. When interrupted or terminated, the jobs at work are canceled
    before KeyboardInterrupt or SystemExit goes on.
    """
    outcomes = [Outcome(item) for item in request.items if item.done]
    for outcome in outcomes:
        tell(outcome, as_json=as_json)
    waiting = [item for item in request.items if not item.done]
    if waiting:
        outcomes += _restored(request, waiting, as_json=as_json)
    return summarize(outcomes, as_json=as_json)


def _restored(request: Request, items: Sequence[Item], *, as_json: bool) -> list[Outcome]:
    manner = Manner(request.fields, request.parallel, remote=request.url is not None)
    outcomes = []
    with sigterm_exits(), job_bar(quiet=as_json) as bar, _service(request) as url, Client(url) as client:
        with closing(Restorer(client, bar, manner).restore(items)) as arriving:
            for outcome in arriving:
                outcomes.append(outcome)
                with bar.aside():
                    tell(outcome, as_json=as_json)
        if not manner.remote:
            bar.stopping()
    return outcomes


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
