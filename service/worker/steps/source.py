"""Says that the source of a job is gone where that is why a step finds no file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from service.errors.job import SourceMissing
from service.storage.store import SOURCE, Storage


@contextmanager
def source_needed(storage: Storage, job_id: str) -> Iterator[None]:
    """Raises SourceMissing in place of a FileNotFoundError of the block if the source is not in storage any more."""
    try:
        yield
    except FileNotFoundError:
        require_source(storage, job_id)
        raise


def require_source(storage: Storage, job_id: str) -> None:
    """Raises SourceMissing unless the source of a job is in storage."""
    if storage.find(job_id, SOURCE) is None:
        raise SourceMissing("The video of this job is no longer in storage; send it again.")
