"""What a client of the service raises, each with a stable ``code``.

ClientError
├── ServiceUnreachable     service_unreachable      no answer: wrong address, down, connection lost
│   └── AddressUnusable    address_unusable         no address, or something else answers there
├── RequestRejected        (the service's own code) an answer with a problem document
├── DownloadDamaged        download_damaged         other bytes than the service announced
├── SourceChanged          source_changed           a file changed while it was sent
└── WaitTimedOut           wait_timed_out           the job had not finished in the time given
"""

from __future__ import annotations

from service.errors.base import ServiceError


class ClientError(ServiceError):
    code = "client_error"


class ServiceUnreachable(ClientError):
    """``connected`` tells that there was a connection, which broke before the answer was complete."""

    code = "service_unreachable"

    def __init__(self, message: str, *, connected: bool = False) -> None:
        super().__init__(message)
        self.connected = connected


class AddressUnusable(ServiceUnreachable):
    code = "address_unusable"


class RequestRejected(ClientError):
    """``code``, ``detail`` and ``status`` are those of the problem document that the service answered with;
    ``retry_after_s`` is when it asked to be asked again, if it did.
    """

    def __init__(self, message: str, code: str, status: int, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def detail(self) -> str:
        return str(self)


class DownloadDamaged(ClientError):
    code = "download_damaged"


class SourceChanged(ClientError):
    code = "source_changed"


class WaitTimedOut(ClientError):
    code = "wait_timed_out"
