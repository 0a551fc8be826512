"""Reads addresses of Redis behind Sentinels, which know who the master is:
``sentinel://user:password@host:26379,host:26379/name/0``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

SCHEMES = ("sentinel", "sentinels")
"""The second one speaks TLS, to Sentinels and to Redis."""
PORT = 26379
SENTINEL_TIMEOUT_S = 1.0
"""Seconds for a Sentinel to answer; then the next one is asked."""


@dataclass(frozen=True)
class SentinelAddress:
    """Where the Sentinels are, and the name of the master that they watch for this service."""

    nodes: tuple[tuple[str, int], ...]
    master: str
    db: int
    username: str | None
    password: str | None
    """The password of Redis, and of the Sentinels where the address says ``?sentinel_auth=true``."""
    sentinel_auth: bool
    tls: Mapping[str, str] | None
    """Options such as ``ssl_ca_certs``; None without TLS."""

    @property
    def credentials(self) -> dict[str, str | None]:
        """User name and password, as the Redis client takes them."""
        return {"username": self.username, "password": self.password}

    def sentinel_options(self) -> dict[str, Any]:
        """Returns the Redis client's options for connecting to a Sentinel."""
        limits = {"socket_timeout": SENTINEL_TIMEOUT_S, "socket_connect_timeout": SENTINEL_TIMEOUT_S}
        return {**limits, **self._secured(), **(self.credentials if self.sentinel_auth else {})}

    def redis_options(self) -> dict[str, Any]:
        """Returns the Redis client's options for connecting to the master."""
        return {"db": self.db, **self.credentials, **self._secured()}

    def celery_url(self) -> str:
        """Returns the Sentinels in Celery's form; the master's name is a transport option there."""
        userinfo = (
            f"{quote(self.username or '', safe='')}:{quote(self.password, safe='')}@" if self.password else ""
        )
        return ";".join(f"sentinel://{userinfo}{host}:{port}/{self.db}" for host, port in self.nodes)

    def _secured(self) -> dict[str, Any]:
        return {} if self.tls is None else {"ssl": True, **self.tls}


def sentinel_address(url: str) -> SentinelAddress | None:
    """Returns None for an address of another form. Raises ValueError for a malformed one of this form."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        return None
    userinfo, _, hosts = parts.netloc.rpartition("@")
    username, _, password = userinfo.partition(":")
    master, _, db = parts.path.removeprefix("/").partition("/")
    if not hosts or not master:
        raise ValueError(
            "A Sentinel address reads sentinel://[user:password@]host:26379,host:26379/<master>[/<db>]."
        )
    query = dict(parse_qsl(parts.query))
    tls = {name: value for name, value in query.items() if name.startswith("ssl_")}
    return SentinelAddress(
        nodes=tuple(_node(text) for text in hosts.split(",")),
        master=master,
        db=int(db or "0"),
        username=unquote(username) or None,
        password=unquote(password) or None,
        sentinel_auth=query.get("sentinel_auth") == "true",
        tls=tls if parts.scheme == "sentinels" else None,
    )


def _node(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError(f"A Sentinel is given as host:port; got {text!r}.")
    return parts.hostname, parts.port or PORT
