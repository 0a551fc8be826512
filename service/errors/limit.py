"""Errors of a caller who asks for more than it may have at once."""

from __future__ import annotations

from service.errors.base import ServiceError


class LimitReached(ServiceError):
    """Base of what may be asked for again later; ``retry_after_s`` says after how many seconds."""

    code = "limit_reached"
    usual_wait_s = 30

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s: int = self.usual_wait_s if retry_after_s is None else retry_after_s


class RateLimited(LimitReached):
    """The key made as many submissions in a minute as it may."""

    code = "rate_limited"


class TooManyJobs(LimitReached):
    """The key has as many unfinished jobs as it may have."""

    code = "too_many_jobs"


class StorageQuotaExceeded(LimitReached):
    """The key keeps as many bytes as it may keep."""

    code = "storage_quota_exceeded"
    usual_wait_s = 3600


class TooManyConnections(LimitReached):
    """There are as many connections as the service, or one address, may have."""

    code = "too_many_connections"
    usual_wait_s = 5


class TooManyStreams(LimitReached):
    """As many event streams are open as the service, or a tenant, may have."""

    code = "too_many_streams"
    usual_wait_s = 15


class QueueFull(LimitReached):
    """As many jobs wait as the service lets wait."""

    code = "queue_full"


class IntakeClosed(LimitReached):
    """Operators have the service take no new work."""

    code = "intake_closed"
    usual_wait_s = 60
