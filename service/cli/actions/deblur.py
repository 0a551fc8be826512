"""Deblurs videos on a running service, or on one that is started for them alone."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from service.cli.batch.hot_folder import HotFolder
from service.cli.batch.journal import Journal
from service.cli.batch.models import models_at, require_models
from service.cli.batch.outcome import Outcome, counts_of, print_outcome, summarize, told
from service.cli.batch.plan import Item
from service.cli.batch.restorer import RestoreOptions, Restorer
from service.cli.exits import Exit, exit_code
from service.cli.interrupts import advising
from service.cli.output.lines import note
from service.cli.output.progress import JobBar, job_bar
from service.client import Client
from service.embedded import EmbeddedOptions, EmbeddedStack
from service.local.signals import sigterm_exits
from service.local.triton.install import cache_directory
from service.model_catalog import ModelCatalog
from service.text import plural
from service.worker.runtime.machine import FILE

STOP_S = 0.0
"""A service whose data goes with it has nothing to end in good order."""


@dataclass(frozen=True)
class DeblurRequest:
    """Where and how videos are deblurred."""

    journal: Journal
    url: str | None = None
    """Address of a running service; without one, a service is started for these videos alone."""
    models: Path | None = None
    """The model repository of the service that is started here."""
    parallel: int = 2
    """Jobs at the service at a time."""
    device: str | None = None
    """What restores at the service that is started here."""

    @property
    def options(self) -> RestoreOptions:
        return RestoreOptions(self.parallel, remote=self.url is not None)


def deblur_videos(request: DeblurRequest, items: Sequence[Item], *, as_json: bool) -> Exit:
    """Restores every video that is not done, and prints what became of each; one that fails does not stop the others.

    Raises ServiceError when there is no service, BadParameter for a model that it does not have. When interrupted or
    terminated, the jobs at the service are canceled before KeyboardInterrupt or SystemExit goes on.
    """
    outcomes = [Outcome(item) for item in items if item.done]
    for outcome in outcomes:
        print_outcome(outcome, as_json=as_json)
    waiting = [item for item in items if not item.done]
    for item in waiting:
        if item.again:
            note(f"{item.source}: {item.output} was made {item.again}; it is made again.")
    if waiting:
        with sigterm_exits(), advising(lambda: _advice(request, outcomes, waiting)):
            _restore(request, waiting, outcomes, as_json=as_json)
    return summarize(outcomes, as_json=as_json)


def watch_folders(
    request: DeblurRequest, folder: HotFolder, models: Collection[str | None], *, as_json: bool
) -> None:
    """Restores videos as they arrive, until KeyboardInterrupt or SystemExit, which cancels the jobs at the service.

    ``models``: what is asked for by name, None for the usual one. Raises ServiceError when no service can be started.
    """
    ended: dict[str, str] = {}

    def tell(outcome: Outcome, bar: JobBar) -> None:
        ended[str(outcome.item.source)] = outcome.status
        with bar.aside():
            print_outcome(outcome, as_json=as_json)

    with (
        sigterm_exits(),
        advising(lambda: f"{told(counts_of(ended.values()))} The same command goes on."),
        _restorer(request, models, as_json=as_json) as (restorer, bar),
        closing(restorer.follow(folder.arrived)) as arriving,
    ):
        for outcome in arriving:
            while folder.clashes:
                item, error = folder.clashes.pop(0)
                tell(Outcome(item, error=error), bar)
            if outcome is None:
                continue
            if outcome.error and exit_code(outcome.error) is Exit.UNAVAILABLE:
                folder.again_later(outcome.item)
                if ended.get(str(outcome.item.source)) == "failed":
                    continue  # told already, until it is sent
            tell(outcome, bar)


def _restore(
    request: DeblurRequest, items: Sequence[Item], outcomes: list[Outcome], *, as_json: bool
) -> None:
    models = {item.fields.get("model") for item in items}
    with (
        _restorer(request, models, as_json=as_json) as (restorer, bar),
        closing(restorer.restore(items)) as arriving,
    ):
        for outcome in arriving:
            outcomes.append(outcome)
            with bar.aside():
                print_outcome(outcome, as_json=as_json)


def _advice(request: DeblurRequest, outcomes: Sequence[Outcome], items: Sequence[Item]) -> str:
    if len(items) == 1:
        return f"The same command {'goes on' if request.url else 'begins anew'}."
    done = sum(outcome.job is not None for outcome in outcomes)
    return f"{done} of {plural(len(items), 'video')} done; the same command goes on with the others."


@contextmanager
def _restorer(
    request: DeblurRequest, models: Collection[str | None], *, as_json: bool
) -> Iterator[tuple[Restorer, JobBar]]:
    """Yields what restores videos at the service, and its bar."""
    with job_bar(quiet=as_json) as bar, _service(request, models) as url, Client(url) as client:
        if request.url:
            require_models(models, partial(models_at, client))
        yield Restorer(client, bar, request.options, request.journal), bar
        if not request.url:
            bar.stopping()


@contextmanager
def _service(request: DeblurRequest, models: Collection[str | None]) -> Iterator[str]:
    """Yields the address of the service: the one named, or one that lives as long as this context."""
    if request.url:
        yield request.url
        return
    base = EmbeddedOptions()
    repository = request.models or base.models
    require_models(models, lambda: [card.name for card in ModelCatalog(repository).models()])
    with tempfile.TemporaryDirectory(prefix="cdvd-") as data:
        options = EmbeddedOptions(
            data=Path(data),
            models=repository,
            model=(next(iter(models)) if len(models) == 1 else None) or base.model,
            device=request.device,
            stop_timeout_s=STOP_S,
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
