"""Errors of starting the service, or a part of it, on this machine."""

from __future__ import annotations

from service.errors.base import ServiceError


class StartupError(ServiceError):
    """Base of what keeps the service from starting here."""

    code = "startup_failed"


class DataVersionUnsupported(StartupError):
    """The data directory has a layout that this release does not know."""

    code = "data_version_unsupported"


class DataUnwritable(StartupError):
    """The data directory cannot be made, read or written."""

    code = "data_unwritable"


class DataInUse(StartupError):
    """Another service works on this data directory."""

    code = "data_in_use"


class StackFailed(StartupError):
    """A part of the embedded service did not start, or did not stay."""

    code = "stack_failed"


class InsecureAddress(StartupError):
    """The service would listen on a public address without keys."""

    code = "insecure_address"


class RequirementMissing(StartupError):
    """Something that the service needs is not installed here."""

    code = "requirement_missing"
