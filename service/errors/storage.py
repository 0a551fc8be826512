"""Errors of the place where files are kept."""

from __future__ import annotations

from service.errors.base import ServiceError


class StorageError(ServiceError):
    """Base of what storage fails with."""

    code = "storage_error"


class StorageFull(StorageError):
    """There is no space left for the file; there may be later."""

    code = "storage_full"


class LocalCopiesTooSmall(StorageError):
    """A file is larger than all local copies of objects may be: no waiting makes room for it."""

    code = "local_copies_too_small"


class StorageUnavailable(StorageError):
    """The object store cannot be reached; the same request may succeed later."""

    code = "storage_unavailable"
