"""Errors of Redis, which holds the queue and the state of the jobs."""

from __future__ import annotations

from service.errors.base import ServiceError


class BrokerUnavailable(ServiceError):
    """Redis cannot be used now; the same request may succeed later."""

    code = "broker_unavailable"


class BrokerFull(BrokerUnavailable):
    """Redis has no memory left for more: what frees some still works, and so does reading."""

    code = "broker_full"


class BrokerDiskFull(BrokerUnavailable):
    """Redis cannot write its log, because its disk is full: it takes no changes until there is room."""

    code = "broker_disk_full"
