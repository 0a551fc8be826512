"""A complete upload that is not a job yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from service.errors.job import JobNotFinished, ResultExpired
from service.errors.upload import EmptyUpload, UploadIncomplete
from service.jobs.job import Job
from service.jobs.reader import JobReader
from service.storage.partial_upload import PartialUpload
from service.storage.spool import UploadSpool
from service.storage.store import Upload
from service.text import plural

_COPIED_BYTES = 1 << 20
"""Read from the spool at a time."""
FETCH_POLL_S = 5.0
"""Seconds after which it is worth asking again for a video that is being fetched."""


@dataclass(frozen=True)
class ReceivedUpload:
    """The bytes of a video in storage, and what came with them."""

    upload: Upload
    filename: str
    sha256: str
    fields: dict[str, str]
    """The text fields of the form: options, not checked yet."""
    spooled: str | None = None
    """The id of the resumable upload that holds the bytes; ``upload`` and ``sha256`` are empty then."""
    source_job: str | None = None
    """The id of the job whose source has the bytes; ``upload`` and ``sha256`` are empty then."""


def filled(received: ReceivedUpload, spool: UploadSpool, jobs: JobReader) -> ReceivedUpload:
    """Returns the upload with the bytes of the resumable upload, or of the job, that its form names, if it names one.

    Raises UploadNotFound, UploadIncomplete, EmptyUpload, JobNotFound, JobNotFinished (its video is not here yet),
    ResultExpired, BrokerUnavailable, StorageFull and StorageUnavailable.
    """
    if received.spooled is not None:
        return _from_spool(received, spool.get(received.spooled))
    if received.source_job is not None:
        return _from_job(received, jobs.get(received.source_job))
    return received


def _from_job(received: ReceivedUpload, job: Job) -> ReceivedUpload:
    if job.spec.order is not None:
        again_s = FETCH_POLL_S if job.status.active else None
        raise JobNotFinished("The video of that job is not fetched yet.", again_s)
    try:
        received.upload.take_source_of(job.id)
    except FileNotFoundError as error:
        raise ResultExpired("The files of that job were removed; send the video again.") from error
    return replace(received, filename=job.spec.source.filename, sha256=job.spec.source.sha256)


def _from_spool(received: ReceivedUpload, partial: PartialUpload) -> ReceivedUpload:
    if not partial.complete:
        there = f"{partial.offset} of {plural(partial.length, 'byte')}"
        raise UploadIncomplete(f"This upload is not complete: {there} arrived.")
    if not partial.length:
        raise EmptyUpload("The file is empty; send a video.")
    with partial.path.open("rb") as file:
        while data := file.read(_COPIED_BYTES):
            received.upload.write(data)
    return replace(received, filename=partial.filename, sha256=received.upload.finish())
