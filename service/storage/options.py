"""What storage is told, and the choice between its kinds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from service.errors import RequirementMissing
from service.storage.filesystem import FilesystemStorage
from service.storage.store import Storage


@dataclass(frozen=True)
class S3Options:
    """A bucket of an S3-compatible object store."""

    bucket: str
    prefix: str
    """In front of every key, so that one bucket can serve several installations; empty or ending in ``/``."""
    endpoint: str | None
    """None is Amazon's."""
    region: str
    access_key_id: str | None
    """None, like the secret: from where Amazon's tools look for it, such as the role of a machine."""
    secret_access_key: str | None
    public_url: str | None
    """Where clients of the service reach the store; None if they do not."""


@dataclass(frozen=True)
class StorageOptions:
    """``s3`` None keeps files below ``data``."""

    data: Path
    reserve_bytes: int
    """Disk space that uploads into ``data`` leave free."""
    s3: S3Options | None
    scratch: Path
    """Local copies of objects in use; a directory of this process alone."""
    scratch_bytes: int


def open_storage(options: StorageOptions) -> Storage:
    """Raises RequirementMissing where S3 is asked for and its library is not installed."""
    if options.s3 is None:
        return FilesystemStorage(options.data, options.reserve_bytes)
    try:
        from service.storage.bucket import Bucket  # an extra: most installations do without
        from service.storage.s3 import S3Storage
    except ImportError as error:
        raise RequirementMissing("CDVD_STORAGE=s3 needs boto3: pip install 'cdvd[s3]'") from error
    from service.storage.scratch import Scratch

    return S3Storage(Bucket(options.s3), options.s3.prefix, Scratch(options.scratch, options.scratch_bytes))
