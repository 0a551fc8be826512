"""Sends videos to a running service without waiting for their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.batch.journal import Journal, identity_of
from service.cli.batch.models import models_at, require_models
from service.cli.batch.sender import Sender
from service.cli.exits import Exit, error_json, exit_code
from service.cli.interrupts import advising
from service.cli.output.lines import complain, note, say, say_json, say_json_line
from service.cli.output.progress import JobBar, job_bar
from service.client import Client, Job
from service.errors.base import ServiceError
from service.text import plural

if TYPE_CHECKING:
    from service.options import JobOptions


@dataclass(frozen=True)
class Parcel:
    """A video, and the text parts of POST /jobs that go with it."""

    video: Path
    fields: Mapping[str, str]


def submit_one(parcel: Parcel, url: str, key: str | None, *, as_json: bool) -> None:
    """Sends a video and prints the id of its job, and on stderr what its result will lack. Raises ClientError, OSError,
    and BadParameter for a model that the service does not have.

    ``key``: the Idempotency-Key, if it is not to be chosen here.
    """
    journal, source = Journal(url), identity_of([parcel.video])
    advice = "What has arrived is kept for a while; the same command goes on from there."
    with advising(lambda: advice), Client(url) as client, job_bar(quiet=as_json) as bar:
        require_models([parcel.fields.get("model")], partial(models_at, client))
        sender = Sender(client, journal, bar.sent)
        job, _ = sender.send(parcel.video, source, parcel.fields, key=key)
        sender.forget(source, parcel.fields, key)
    say_json(asdict(job)) if as_json else _tell(job)


def submit_address(input_url: str, options: JobOptions, url: str, key: str | None, *, as_json: bool) -> None:
    """Has the service fetch a video, and prints the id of its job.

    Raises ClientError, and BadParameter for a model that the service does not have.
    """
    with Client(url) as client:
        require_models([options.model], partial(models_at, client))
        given = options.model_dump(mode="json", exclude_unset=True)
        job = client.submit_url(input_url, idempotency_key=key, **given)
    say_json(asdict(job)) if as_json else _tell(job)


def submit_all(parcels: Sequence[Parcel], url: str, *, as_json: bool) -> Exit:
    """Sends videos in order, and prints what became of each; one that fails does not stop the others.

    Until all are sent, the same command sends only those that are missing. Returns the exit code that all failures
    share, FAILED if they differ.
    """
    journal, sent, codes = Journal(url), list[str](), set[Exit]()

    def advice() -> str:
        return (
            f"{len(sent)} of {plural(len(parcels), 'video')} sent; the same command goes on with the others."
        )

    with advising(advice), Client(url) as client, job_bar(quiet=as_json) as bar:
        require_models({parcel.fields.get("model") for parcel in parcels}, partial(models_at, client))
        sender = Sender(client, journal, bar.sent)
        for number, parcel in enumerate(parcels, 1):
            bar.title = f"[{number}/{len(parcels)}] {parcel.video.name}: "
            try:
                source = identity_of([parcel.video])
                job, _ = sender.send(parcel.video, source, parcel.fields)
            except (ServiceError, OSError) as error:
                codes.add(exit_code(error))
                _report(parcel, None, error, bar, as_json=as_json)
            else:
                sent.append(source)
                _report(parcel, job, None, bar, as_json=as_json)
        if not codes:
            for parcel, source in zip(parcels, sent, strict=True):
                sender.forget(source, parcel.fields)
    return Exit.OK if not codes else codes.pop() if len(codes) == 1 else Exit.FAILED


def _report(
    parcel: Parcel, job: Job | None, error: ServiceError | OSError | None, bar: JobBar, *, as_json: bool
) -> None:
    with bar.aside():
        if error:
            complain(f"{parcel.video}: {error}")
        if as_json:
            told = {"job": asdict(job) if job else None, "error": error_json(error) if error else None}
            say_json_line({"source": str(parcel.video), **told})
        elif job:
            _tell(job)


def _tell(job: Job) -> None:
    say(job.id)
    for sentence in job.losses:
        note(f"Will be lost: {sentence}")
