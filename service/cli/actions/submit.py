"""Sends videos to a running service without waiting for their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial

from service.cli.batch.journal import Journal
from service.cli.batch.models import models_at, require_models
from service.cli.batch.sender import Sender
from service.cli.batch.sources import Source
from service.cli.exits import Exit, error_json, exit_code
from service.cli.interrupts import advising
from service.cli.output.lines import complain, note, say, say_json, say_json_line
from service.cli.output.progress import JobBar, job_bar
from service.client import Client, Job
from service.errors.base import ServiceError
from service.text import plural


@dataclass(frozen=True)
class Parcel:
    """A video, and the text parts of POST /jobs that go with it."""

    video: Source
    fields: Mapping[str, str]


def submit_one(parcel: Parcel, url: str, key: str | None, *, as_json: bool) -> None:
    """Sends a video and prints the id of its job, and on stderr what its result will lack. Raises ClientError, OSError,
    and BadParameter for a model that the service does not have.

    ``key``: the Idempotency-Key, if it is not to be chosen here.
    """
    journal, identity = Journal(url), parcel.video.identity
    advice = "What has arrived is kept for a while; the same command goes on from there."
    with advising(lambda: advice), Client(url) as client, job_bar(quiet=as_json) as bar:
        require_models([parcel.fields.get("model")], partial(models_at, client))
        sender = Sender(client, journal, bar.sent)
        job, _ = sender.send(parcel.video, identity, parcel.fields, key=key)
        sender.forget(identity, parcel.fields, key)
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
                identity = parcel.video.identity
                job, _ = sender.send(parcel.video, identity, parcel.fields)
            except (ServiceError, OSError) as error:
                codes.add(exit_code(error))
                _report(parcel, None, error, bar, as_json=as_json)
            else:
                sent.append(identity)
                _report(parcel, job, None, bar, as_json=as_json)
        if not codes:
            for parcel, identity in zip(parcels, sent, strict=True):
                sender.forget(identity, parcel.fields)
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
