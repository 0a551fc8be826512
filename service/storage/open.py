"""Chooses the kind of storage that the options ask for."""

from __future__ import annotations

from service.distribution import install_command
from service.errors.startup import RequirementMissing
from service.storage.filesystem import FilesystemStorage
from service.storage.options import S3Options, StorageOptions
from service.storage.scratch import Scratch
from service.storage.store import Storage


def open_storage(options: StorageOptions) -> Storage:
    """Opens the bucket of ``options.s3`` where there is one, else the directory ``options.data``.

    Raises RequirementMissing where an object store is asked for and its library is not installed.
    """
    if options.s3 is None:
        return FilesystemStorage(options.data, options.reserve_bytes)
    return _open_bucket(options.s3, Scratch(options.scratch, options.scratch_bytes))


def _open_bucket(options: S3Options, scratch: Scratch) -> Storage:
    try:
        from service.storage.bucket import Bucket  # boto3 is an extra: most installations do without
        from service.storage.s3 import S3Storage
    except ImportError as error:
        raise RequirementMissing(
            f"CDVD_STORAGE=s3 needs boto3. Install it: {install_command('s3')}"
        ) from error
    return S3Storage(Bucket(options), options.prefix, scratch)
