"""Deblurs videos on a running service, or on one that is started for them alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from service.cli.batch.outcome import Outcome, print_outcome, summarize
from service.cli.batch.plan import Item
from service.cli.batch.restorer import RestoreOptions, Restorer
from service.cli.exits import Exit
from service.cli.output.progress import job_bar
from service.client import Client
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.local.signals import sigterm_exits
from service.local.triton.install import cache_directory
from service.worker.runtime.machine import FILE


@dataclass(frozen=True)
class DeblurRequest:
    """Which videos are deblurred, how and where."""

    items: Sequence[Item]
    fields: Mapping[str, str] = field(default_factory=dict)
    """Text parts of POST /jobs."""
    url: str | None = None
    """Address of a running service; without one, a service is started for these videos alone."""
    models: Path | None = None
    """The model repository of the service that is started here."""
    parallel: int = 2
    """Jobs at the service at a time."""
    device: str | None = None
    """What restores at the service that is started here."""


def deblur_videos(request: DeblurRequest, *, as_json: bool) -> Exit:
    """Restores every video that is not done, and prints what became of each; one that fails does not stop the others.

    Raises ServiceError when there is no service. When interrupted or terminated, the jobs at the service are canceled
    before KeyboardInterrupt or SystemExit goes on.
    """
    outcomes = [Outcome(item) for item in request.items if item.done]
    for outcome in outcomes:
        print_outcome(outcome, as_json=as_json)
    waiting = [item for item in request.items if not item.done]
    if waiting:
        outcomes += _restored(request, waiting, as_json=as_json)
    return summarize(outcomes, as_json=as_json)


def _restored(request: DeblurRequest, items: Sequence[Item], *, as_json: bool) -> list[Outcome]:
    options = RestoreOptions(request.fields, request.parallel, remote=request.url is not None)
    outcomes = []
    with sigterm_exits(), job_bar(quiet=as_json) as bar, _service(request) as url, Client(url) as client:
        with closing(Restorer(client, bar, options).restore(items)) as arriving:
            for outcome in arriving:
                outcomes.append(outcome)
                with bar.aside():
                    print_outcome(outcome, as_json=as_json)
        if not options.remote:
            bar.stopping()
    return outcomes


@contextmanager
def _service(request: DeblurRequest) -> Iterator[str]:
    """Yields the address of the service: the one named, or one that lives as long as this context."""
    if request.url:
        yield request.url
        return
    base = EmbeddedOptions()
    with tempfile.TemporaryDirectory(prefix="cdvd-") as data:
        options = EmbeddedOptions(
            data=Path(data),
            models=request.models or base.models,
            model=request.fields.get("model") or base.model,
            device=request.device,
        )
        with _runtime_kept(Path(data)), EmbeddedStack(options) as stack:
            yield stack.url


@contextmanager
def _runtime_kept(data: Path) -> Iterator[None]:
    """Keeps what a worker measures of this machine for the next time, which has another data directory."""
    here, kept = data / FILE, cache_directory().parent / FILE
    with suppress(OSError):
        shutil.copyfile(kept, here)
    yield
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(here, kept)
