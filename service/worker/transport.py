"""Celery's Redis transport, able to outlive Redis while a task runs.

kombu 5.7 forgets to strike a message off its own list when it cannot tell Redis that the message is done with.
With a limit of one message at a time the worker then takes it for still running, never asks for another one, and
so never notices that its connection is dead: alive, idle and deaf until somebody restarts it.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from redis import RedisError


class _QoS(redis.QoS):
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
    """Use these transports for Redis addresses of every form; before the first connection."""
    TRANSPORT_ALIASES["redis"] = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES["sentinel"] = f"{__name__}:{SentinelTransport.__name__}"
