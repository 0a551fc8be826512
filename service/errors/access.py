"""Errors about keys and what they permit."""

from __future__ import annotations

from service.errors.base import ServiceError


class AccessError(ServiceError):
    """Base of what a caller is turned away for."""

    code = "access_error"


class Unauthenticated(AccessError):
    """The request has no key, or one that is wrong, revoked or expired."""

    code = "unauthenticated"


class ScopeMissing(AccessError):
    """The key does not permit this call."""

    code = "scope_missing"


class OriginMissing(AccessError):
    """A browser's session was used by something other than the service's page."""

    code = "origin_missing"


class KeyNotFound(AccessError):
    """There is no key of this prefix."""

    code = "key_not_found"


class UploadTokenNotFound(AccessError):
    """There is no upload token of this id, or it has expired."""

    code = "upload_token_not_found"


class UploadTokenUsed(AccessError):
    """An upload token was used for another upload before."""

    code = "upload_token_used"
