"""Exit codes, which tell a script whether trying again may help."""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import Any

from service.errors.submission import SubmissionError
from service.errors.upload import UploadError
from service.errors.video import VideoError
from service.errors.webhook import WebhookRefused


class Exit(IntEnum):
    """What a command ends with. 130 and 143 are the shell's own codes, for SIGINT and SIGTERM."""

    OK = 0
    FAILED = 1
    """A job failed or was canceled, or this machine lacks something."""
    USAGE = 2
    REFUSED = 3
    """The request cannot be met: no video, no such job, not permitted. Asking again does not help."""
    UNAVAILABLE = 4
    """There was no answer, or the service cannot now. Asking again later may help."""
    TIMED_OUT = 5
    CHANGED = 10
    """`cdvd verify`: nothing is lost, but some of it is in another form."""


_REFUSALS = (UploadError, VideoError, SubmissionError, WebhookRefused)
_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.INSUFFICIENT_STORAGE})


def exit_code(error: Exception) -> Exit:
    """Returns what the command ends with after ``error``."""
    # Here, so that `cdvd --help` does not load the client.
    from service.client.errors import DownloadDamaged, RequestRejected, ServiceUnreachable, WaitTimedOut

    if isinstance(error, RequestRejected):
        later = error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status in _LATER
        return Exit.UNAVAILABLE if later else Exit.REFUSED
    if isinstance(error, (ServiceUnreachable, DownloadDamaged)):
        return Exit.UNAVAILABLE
    if isinstance(error, _REFUSALS):
        return Exit.REFUSED
    return Exit.TIMED_OUT if isinstance(error, WaitTimedOut) else Exit.FAILED


def error_json(error: Exception) -> dict[str, Any]:
    """Returns an error for ``--json``; ``status`` is that of the service's answer, null if there was none."""
    return {
        "code": getattr(error, "code", "os_error"),
        "detail": str(error),
        "status": getattr(error, "status", None),
    }
