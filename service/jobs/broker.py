"""Connections to Redis, and the one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

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


def with_password(url: str, password: str) -> str:
    """``url`` with a password in it. Raises ValueError where there is one already, or no place for one."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss") or parts.password is not None:
        raise ValueError("a password of its own goes with redis://[user@]host:port addresses that hold none")
    user, _, address = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{address}"))


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
