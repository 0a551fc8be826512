"""Adapts Celery's Redis transport, so that a worker survives a Redis that fails while a task runs.

kombu 5.7 keeps a message on its own list of unacknowledged messages when the acknowledgment does not reach Redis. With
a limit of one message at a time the worker then takes it for still running, never asks for another one, and so never
notices that its connection is dead: it stays alive and idle until somebody restarts it.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual
from kombu.utils.json import dumps
from redis.exceptions import ResponseError

from service.errors.broker import BrokerUnavailable
from service.logs import RecurringWarning
from service.redis_state.connection import kind_of, reason

log = logging.getLogger(__name__)
_not_looked_for = RecurringWarning(log)

_NOTE = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
"""
"""Its first change takes something away, so that Redis runs all of it without memory, too."""


class _QoS(redis.QoS):
    """Notes and forgets messages also when Redis has no memory left, for which there are no transactions, and forgets
    one also when Redis cannot be told.
    """

    def append(self, message: Any, delivery_tag: Any) -> None:
        delivery = message.delivery_info
        noted = dumps([message._raw, delivery["exchange"], delivery["routing_key"]])  # type: ignore[no-untyped-call]
        keys = (self.unacked_index_key, self.unacked_key)
        with self.channel.conn_or_acquire() as client:
            client.eval(_NOTE, len(keys), *keys, delivery_tag, time.time(), noted)
        virtual.QoS.append(self, message, delivery_tag)  # type: ignore[no-untyped-call]

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Looks for messages that others took and never did; while Redis has no room, that waits for the next time."""
        try:
            super().restore_visible(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if kind_of(error) is BrokerUnavailable:
                raise
            _not_looked_for.say(
                "Messages that were lost are not looked for: Redis cannot be used: %s", reason(error)
            )

    def ack(self, delivery_tag: Any) -> None:
        try:
            with self.channel.conn_or_acquire() as client, client.pipeline(transaction=False) as pipe:
                pipe.hdel(self.unacked_key, delivery_tag)
                pipe.zrem(self.unacked_index_key, delivery_tag)
                pipe.execute()
        finally:
            virtual.QoS.ack(self, delivery_tag)  # type: ignore[no-untyped-call]


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
