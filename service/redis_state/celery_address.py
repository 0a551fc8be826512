"""Translates the address of Redis into Celery's settings, which differ from those of the Redis client."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from service.redis_state.sentinel import sentinel_address

_VERIFIED = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
"""Celery itself would trust any certificate."""


def broker_url(redis_url: str) -> str:
    """Returns the address for ``broker_url``, without the options in its query."""
    if sentinel := sentinel_address(redis_url):
        return sentinel.celery_url()
    if redis_url.startswith("unix:"):
        path, _, query = redis_url.removeprefix("unix://").partition("?")
        return f"redis+socket://{path}?virtual_host={query.removeprefix('db=') or '0'}"
    return urlunsplit(urlsplit(redis_url)._replace(scheme="redis", query=""))


def transport_options(redis_url: str) -> dict[str, Any]:
    """Returns what ``broker_transport_options`` needs beyond the address."""
    if sentinel := sentinel_address(redis_url):
        return {
            "socket_keepalive": True,
            "master_name": sentinel.master,
            "sentinel_kwargs": sentinel.sentinel_options(),
        }
    # Keepalive belongs to TCP; the client refuses the option on a unix socket.
    return {} if redis_url.startswith("unix:") else {"socket_keepalive": True}


def tls_options(redis_url: str) -> dict[str, Any] | None:
    """Returns the options for ``broker_use_ssl``; None without TLS."""
    if sentinel := sentinel_address(redis_url):
        return None if sentinel.tls is None else {**_VERIFIED, **sentinel.tls}
    if not redis_url.startswith("rediss:"):
        return None
    given = {name: value for name, value in parse_qsl(urlsplit(redis_url).query) if name.startswith("ssl_")}
    return {**_VERIFIED, **given}
