"""Connections to Redis, and the one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import redis

from service.errors import BrokerUnavailable

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 30.0
"""Our scripts take microseconds: a reply that takes this long will not come."""


def connect(url: str) -> redis.Redis:
    """A lazily connecting, thread-safe client; ``url`` is ``redis://host:port/0`` or ``unix:///path?db=0``."""
    limits: Any = timeouts(url, REPLY_TIMEOUT_S)
    return redis.Redis.from_url(url, decode_responses=True, health_check_interval=25, **limits)


def timeouts(url: str, reply_s: float) -> dict[str, float]:
    """Client options: how long a connection may take, where there is one to make, and how long a reply."""
    if url.startswith("unix:"):
        return {"socket_timeout": reply_s}
    return {"socket_timeout": reply_s, "socket_connect_timeout": CONNECT_TIMEOUT_S}


def is_answering(url: str) -> bool:
    """Whether a Redis is there that has loaded its data."""
    with connect(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


@contextmanager
def broker_errors() -> Iterator[None]:
    """Turn the client's exceptions into BrokerUnavailable."""
    try:
        yield
    except redis.RedisError as error:
        raise BrokerUnavailable(f"Redis cannot be used: {error}") from error


def texts(values: Iterable[object]) -> list[str]:
    """What the client read, as the strings that it is: its types leave open whether it decodes."""
    return [str(value) for value in values]
