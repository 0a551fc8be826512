"""Adapts Celery's Redis transport, so that a worker survives a Redis that fails while a task runs.

kombu 5.7 keeps a message on its own list of unacknowledged messages when the acknowledgment does not reach Redis. With
a limit of one message at a time the worker then takes it for still running, never asks for another one, and so never
notices that its connection is dead: it stays alive and idle until somebody restarts it.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from redis import RedisError


class _QoS(redis.QoS):
    """Removes a message from the local list also when Redis cannot be told."""

    def ack(self, delivery_tag: Any) -> None:
        try:
            super().ack(delivery_tag)  # type: ignore[no-untyped-call]
        except RedisError:
            virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]
            raise


class _Channel(redis.Channel):
    QoS = _QoS


class _SentinelChannel(redis.SentinelChannel):
    QoS = _QoS


class Transport(redis.Transport):
    Channel = _Channel


class SentinelTransport(redis.SentinelTransport):
    Channel = _SentinelChannel


def install() -> None:
    """Makes Celery use these transports for Redis addresses of every form. Call it before the first connection."""
    TRANSPORT_ALIASES["redis"] = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:{SentinelTransport.__name__}"
