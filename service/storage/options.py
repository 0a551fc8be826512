"""What storage has to know: a directory, and perhaps a bucket of an object store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class S3Options:
    """A bucket of an S3-compatible object store."""

    bucket: str
    prefix: str
    """Goes in front of every key, so that one bucket can serve several installations; empty or ending in ``/``."""
    endpoint: str | None
    """The address of the store; None is Amazon's."""
    region: str
    access_key_id: str | None
    """None, like the secret, takes what Amazon's tools find, such as the role of a machine."""
    secret_access_key: str | None
    public_url: str | None
    """The address at which clients of the service reach the store; None if they do not."""


@dataclass(frozen=True)
class StorageOptions:
    """Where the files of jobs are kept: in the bucket ``s3``, or below the directory ``data`` where that is None."""

    data: Path
    reserve_bytes: int
    """Disk space that uploads into ``data`` leave free."""
    s3: S3Options | None
    scratch: Path
    """A directory of this process alone, for local copies of objects in use."""
    scratch_bytes: int
    """What the local copies may take at most."""
