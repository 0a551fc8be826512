"""Errors about the transport of an upload: its size, its form, its offset, its checksum."""

from __future__ import annotations

from service.errors.base import ServiceError


class UploadError(ServiceError):
    """Base of what the way a file was sent is refused for; nothing of it is kept."""

    code = "upload_rejected"


class EmptyUpload(UploadError):
    """The file has no bytes."""

    code = "empty_upload"


class UploadTooLarge(UploadError):
    """The file has more bytes than allowed."""

    code = "upload_too_large"


class MalformedRequest(UploadError):
    """The body or a header is not what the route takes."""

    code = "malformed_request"


class RequestTimeout(UploadError):
    """The header or the body of a request came too slowly."""

    code = "request_timeout"


class UploadNotFound(UploadError):
    """There is no such resumable upload, or it was removed."""

    code = "upload_not_found"


class UploadExpired(UploadNotFound):
    """A resumable upload whose time is over; its bytes are removed."""

    code = "upload_expired"


class UploadIncomplete(UploadError):
    """A job was asked for before all bytes of its upload were there."""

    code = "upload_incomplete"


class UploadLocked(UploadError):
    """Another request writes to this upload."""

    code = "upload_locked"
    retry_after_s = 5


class UploadOffsetMismatch(UploadError):
    """The bytes belong to another place than the end of what is there."""

    code = "upload_offset_mismatch"


class ChecksumMismatch(UploadError):
    """Other bytes came than were announced."""

    code = "checksum_mismatch"


class WrongContentType(UploadError):
    """The request has another content type than tus asks for."""

    code = "wrong_content_type"


class TusVersionUnsupported(UploadError):
    """The request asks for a version of tus other than 1.0.0."""

    code = "tus_version_unsupported"
