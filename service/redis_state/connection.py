"""Connections to Redis, and the one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel

from service.errors.broker import BrokerUnavailable
from service.redis_state.sentinel import SCHEMES, sentinel_address

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 30.0
"""Our scripts take microseconds: a reply that takes this long will not come."""


def connect(url: str) -> redis.Redis:
    """A lazily connecting, thread-safe client; ``Settings.redis_url`` tells the forms of ``url``.

    Raises ValueError for a wrong one.
    """
    options: Any = {"decode_responses": True, "health_check_interval": 25, **timeouts(url, REPLY_TIMEOUT_S)}
    if sentinel := sentinel_address(url):
        untyped: Any = redis.sentinel.Sentinel
        watchers = untyped(sentinel.nodes, sentinel_kwargs=sentinel.sentinel_options())
        master: redis.Redis = watchers.master_for(sentinel.master, **sentinel.redis_options(), **options)
        return master
    return redis.Redis.from_url(url, **options)


def connect_async(url: str, reply_s: float) -> redis.asyncio.Redis:
    """The same for a single event loop; ``reply_s`` is the longest wait for an answer."""
    options: Any = {"decode_responses": True, **timeouts(url, reply_s)}
    if sentinel := sentinel_address(url):
        untyped: Any = redis.asyncio.sentinel.Sentinel
        watchers = untyped(sentinel.nodes, sentinel_kwargs=sentinel.sentinel_options())
        master: redis.asyncio.Redis = watchers.master_for(
            sentinel.master, **sentinel.redis_options(), **options
        )
        return master
    return redis.asyncio.Redis.from_url(url, **options)


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
    if parts.scheme not in ("redis", "rediss", *SCHEMES) or parts.password is not None:
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
