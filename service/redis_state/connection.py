"""Connects to Redis, and turns the errors of its client into BrokerUnavailable."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import redis
import redis.asyncio
import redis.asyncio.sentinel
import redis.sentinel

from service.errors.broker import BrokerDiskFull, BrokerFull, BrokerUnavailable
from service.redis_state.sentinel import SCHEMES, sentinel_address

CONNECT_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 30.0
"""The scripts of this service take microseconds: a reply that takes this long will not come."""

_SCRIPT = re.compile(r"[.,]?\s*script: [0-9a-f]{40}, on @\w+:\d+")
"""Where in a script of this service Redis refused a command, which changes nothing for a reader."""
_PATH = re.compile(r"(?<!\S)(?:unix:)?/[^\s]*?(?=[.:,]?(?:\s|$))")


def connect(url: str) -> redis.Redis:
    """Returns a thread-safe client that connects when it is first used.

    ``Settings.redis_url`` lists the forms of ``url``. Raises ValueError for any other.
    """
    options: Any = {"decode_responses": True, "health_check_interval": 25, **timeouts(url, REPLY_TIMEOUT_S)}
    if sentinel := sentinel_address(url):
        untyped: Any = redis.sentinel.Sentinel
        watchers = untyped(sentinel.nodes, sentinel_kwargs=sentinel.sentinel_options())
        master: redis.Redis = watchers.master_for(sentinel.master, **sentinel.redis_options(), **options)
        return master
    return redis.Redis.from_url(url, **options)


def connect_async(url: str, reply_s: float, connections: int) -> redis.asyncio.Redis:
    """Returns a client for a single event loop with as many connections at most.

    ``reply_s`` is the longest wait for an answer, in seconds.
    """
    options: Any = {"decode_responses": True, "max_connections": connections, **timeouts(url, reply_s)}
    if sentinel := sentinel_address(url):
        untyped: Any = redis.asyncio.sentinel.Sentinel
        watchers = untyped(sentinel.nodes, sentinel_kwargs=sentinel.sentinel_options())
        master: redis.asyncio.Redis = watchers.master_for(
            sentinel.master, **sentinel.redis_options(), **options
        )
        return master
    return redis.asyncio.Redis.from_url(url, **options)


def timeouts(url: str, reply_s: float) -> dict[str, float]:
    """Returns the client's options for timeouts. A unix socket has none for connecting."""
    if url.startswith("unix:"):
        return {"socket_timeout": reply_s}
    return {"socket_timeout": reply_s, "socket_connect_timeout": CONNECT_TIMEOUT_S}


def is_answering(url: str) -> bool:
    """Returns whether Redis answers and has loaded its data."""
    with connect(url) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def with_password(url: str, password: str) -> str:
    """Returns ``url`` with a password in it. Raises ValueError if it holds one already, or has no place for one."""
    parts = urlsplit(url)
    if parts.scheme not in ("redis", "rediss", *SCHEMES) or parts.password is not None:
        raise ValueError(
            "A password of its own goes with addresses of the form redis://[user@]host:port that hold none."
        )
    user, _, address = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{address}"))


@contextmanager
def broker_errors() -> Iterator[None]:
    """Turns the client's exceptions into BrokerUnavailable, or the one of its kinds that says more."""
    try:
        yield
    except redis.RedisError as error:
        raise kind_of(error)(f"Redis cannot be used: {reason(error)}") from error


def kind_of(error: redis.RedisError) -> type[BrokerUnavailable]:
    """Returns what an answer of Redis means; a script's error names that of its command after its own."""
    text = str(error)
    if isinstance(error, redis.exceptions.OutOfMemoryError) or "OOM command not allowed" in text:
        return BrokerFull
    return BrokerDiskFull if "MISCONF" in text and "No space left" in text else BrokerUnavailable


def reason(error: Exception) -> str:
    """Returns the client's words for an error as a sentence, without the path of a socket: clients may read them."""
    text = _PATH.sub("its socket", _SCRIPT.sub("", str(error))) or type(error).__name__
    return text if text.endswith(".") else f"{text}."


def texts(values: Iterable[object]) -> list[str]:
    """Returns what the client read as strings; its types leave open whether it decodes."""
    return [str(value) for value in values]
