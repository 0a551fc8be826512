"""Reads and writes the headers of tus 1.0: https://tus.io/protocols/resumable-upload."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from service.errors.upload import MalformedRequest, TusVersionUnsupported, UploadTooLarge
from service.storage.partial_upload import PartialUpload
from service.submission.filenames import FALLBACK_NAME, clean_filename
from service.text import plural

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,termination,checksum,expiration"
ALGORITHMS = ("sha256", "sha1", "md5")
CONTENT_TYPE = "application/offset+octet-stream"
_MAX_METADATA = 4096


@dataclass(frozen=True)
class Checksum:
    """What the body of a request must hash to."""

    algorithm: str
    digest: bytes

    def hasher(self) -> Any:
        """Returns a new hash object of ``hashlib``."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


def require_version(headers: Mapping[str, str]) -> None:
    """Raises TusVersionUnsupported unless the request names our version."""
    if headers.get("tus-resumable") != VERSION:
        raise TusVersionUnsupported(f"Send Tus-Resumable: {VERSION}.")


def upload_length(headers: Mapping[str, str], max_bytes: int) -> int:
    """Returns the bytes that the whole upload will have. Raises MalformedRequest and UploadTooLarge."""
    length = _number(headers, "upload-length")
    if length > max_bytes:
        raise UploadTooLarge(f"A video may have {plural(max_bytes, 'byte')}, not {length}.")
    return length


def upload_offset(headers: Mapping[str, str]) -> int:
    """Returns the bytes before those of this request. Raises MalformedRequest."""
    return _number(headers, "upload-offset")


def upload_metadata(headers: Mapping[str, str]) -> str:
    """Returns the metadata as it came. Raises MalformedRequest where it is too long."""
    text = headers.get("upload-metadata", "")
    if len(text) > _MAX_METADATA:
        raise MalformedRequest(f"Upload-Metadata is longer than {_MAX_METADATA} characters.")
    return text


def filename_in(metadata: str) -> str:
    """Returns the file name in pairs of ``key base64``; clients call it ``filename`` or ``name``.

    Raises MalformedRequest.
    """
    pairs = [pair.split(" ") for pair in metadata.split(",") if pair.strip()]
    known = {pair[0]: pair[-1] for pair in (list(filter(None, pair)) for pair in pairs) if len(pair) == 2}
    value = known.get("filename") or known.get("name")
    if value is None:
        return FALLBACK_NAME
    return clean_filename(_decoded(value, "Upload-Metadata").decode("utf-8", "replace"))


def upload_checksum(headers: Mapping[str, str]) -> Checksum | None:
    """Returns what the body must hash to, None if nothing was announced. Raises MalformedRequest."""
    text = headers.get("upload-checksum")
    if text is None:
        return None
    algorithm, _, digest = text.partition(" ")
    if algorithm not in ALGORITHMS:
        raise MalformedRequest(f"Upload-Checksum takes {', '.join(ALGORITHMS)}, not {algorithm[:32]!r}.")
    return Checksum(algorithm, _decoded(digest, "Upload-Checksum"))


def progress_headers(partial: PartialUpload) -> dict[str, str]:
    """Returns the headers that tell how far an upload is, and until when it waits for more."""
    return {
        "Upload-Offset": str(partial.offset),
        "Upload-Expires": formatdate(partial.expires_at, usegmt=True),
    }


def _number(headers: Mapping[str, str], name: str) -> int:
    text = headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise MalformedRequest(f"Send {name.title()} with a number of bytes.")
    return int(text)


def _decoded(text: str, header: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedRequest(f"{header} holds a value that is not base64.") from None
