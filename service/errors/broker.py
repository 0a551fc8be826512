"""Errors of Redis, which holds the queue and the state of the jobs."""

from __future__ import annotations

from service.errors.base import ServiceError


class BrokerUnavailable(ServiceError):
    """Redis cannot be reached; the same request may succeed later."""

    code = "broker_unavailable"
