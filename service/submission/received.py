"""A complete upload that is not a job yet."""

from __future__ import annotations

from dataclasses import dataclass, replace

from service.errors.upload import EmptyUpload, UploadIncomplete
from service.storage.spool import UploadSpool
from service.storage.store import Upload
from service.text import plural

_COPIED_BYTES = 1 << 20
"""Read from the spool at a time."""


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


def filled_from_spool(received: ReceivedUpload, spool: UploadSpool) -> ReceivedUpload:
    """Returns the upload with the bytes of the resumable upload that its form names, if it names one.

    Raises UploadNotFound, UploadIncomplete, EmptyUpload, StorageFull and StorageUnavailable.
    """
    if received.spooled is None:
        return received
    partial = spool.get(received.spooled)
    if not partial.complete:
        there = f"{partial.offset} of {plural(partial.length, 'byte')}"
        raise UploadIncomplete(f"This upload is not complete: {there} arrived.")
    if not partial.length:
        raise EmptyUpload("The file is empty; send a video.")
    with partial.path.open("rb") as file:
        while data := file.read(_COPIED_BYTES):
            received.upload.write(data)
    return replace(received, filename=partial.filename, sha256=received.upload.finish())
