"""The errors that a client of the service raises, each with a stable ``code``.

ClientError
├── ServiceUnreachable     service_unreachable      no answer: wrong address, down, connection lost
│   └── AddressUnusable    address_unusable         no address, or something else answers there
├── RequestRejected        (the service's own code) an answer with a problem json_object
├── DownloadDamaged        download_damaged         other bytes than the service announced
├── SourceChanged          source_changed           a file changed while it was sent
└── WaitTimedOut           wait_timed_out           the job had not finished in the time given
"""

from __future__ import annotations

from service.errors.base import ServiceError


class ClientError(ServiceError):
    """Base of all errors of the client."""

    code = "client_error"


class ServiceUnreachable(ClientError):
    """The service gave no answer; ``connected`` tells that a connection was made, which broke before its end."""

    code = "service_unreachable"

    def __init__(self, message: str, *, connected: bool = False) -> None:
        super().__init__(message)
        self.connected = connected


class AddressUnusable(ServiceUnreachable):
    """No service can be at this address, or something else answers there."""

    code = "address_unusable"


class RequestRejected(ClientError):
    """The service refused. ``code``, ``detail`` and ``status`` are those of its problem document; ``retry_after_s`` are
    the seconds after which it wants to be asked again, if it says so.
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
    """What arrived is not what the service announced."""

    code = "download_damaged"


class SourceChanged(ClientError):
    """A file changed while it was sent."""

    code = "source_changed"


class WaitTimedOut(ClientError):
    """The job had not ended in the time given."""

    code = "wait_timed_out"
