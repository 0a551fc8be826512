"""A storage that holds one job, for tests that write files of it."""

from __future__ import annotations

from pathlib import Path

from service.storage.filesystem import FilesystemStorage

JOB = "5" * 32


def storage_of_one_job(root: Path) -> FilesystemStorage:
    """Returns a storage below ``root`` in which the job ``JOB`` has its files."""
    storage = FilesystemStorage(root)
    upload = storage.begin_upload(JOB, 0)
    upload.finish()
    upload.keep()
    upload.discard()
    return storage
