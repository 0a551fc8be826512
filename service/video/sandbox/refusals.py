"""Errors that a child process names to the gateway, as JSON: the code of the error and its message."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

from service.errors.base import ServiceError
from service.errors.storage import StorageUnavailable
from service.errors.upload import EmptyUpload
from service.errors.video import (
    ColorRejected,
    DamagedVideo,
    ExcerptEmpty,
    FrameSizeRejected,
    NotAVideo,
    NoVideoStream,
    ProbeTimeout,
    VideoTooLong,
)

_KINDS: dict[str, type[ServiceError]] = {
    kind.code: kind
    for kind in (
        EmptyUpload,
        NotAVideo,
        NoVideoStream,
        DamagedVideo,
        ColorRejected,
        FrameSizeRejected,
        VideoTooLong,
        ExcerptEmpty,
        ProbeTimeout,
        StorageUnavailable,
    )
}


def refusal_to_json(error: ServiceError) -> str:
    """Returns the answer of a child that refuses a video because of ``error``."""
    return json.dumps({"code": error.code, "message": str(error)})


def unforeseen(error: Exception) -> DamagedVideo:
    """Returns the refusal of a file that makes its reader fail in a way that nobody foresaw.

    The traceback goes to standard error, from where it gets into the gateway's log.
    """
    traceback.print_exception(error, file=sys.stderr)
    return DamagedVideo(f"The file makes its reader fail ({type(error).__name__}). It is probably damaged.")


def read_answer(text: str) -> dict[str, Any]:
    """Returns the fields of a child's answer, or raises the error that it names. Raises ValueError for no JSON."""
    fields: dict[str, Any] = json.loads(text)
    if "code" in fields:
        raise _KINDS.get(fields["code"], DamagedVideo)(fields["message"])
    return fields
