"""Addresses of a service on this machine: listening there, and which are safe where no key is asked for."""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Callable

from service.errors.startup import InsecureAddress, StackFailed


def is_loopback(host: str) -> bool:
    """Returns whether a host name or address reaches this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def require_safe_address(host: str, allow_unauthenticated: bool, have_keys: Callable[[], bool]) -> None:
    """Raises InsecureAddress where the whole network could use a service that asks for no key.

    ``have_keys`` is called only where it matters.
    """
    if not is_loopback(host) and not allow_unauthenticated and not have_keys():
        raise InsecureAddress(
            f"{host} is reachable from other machines and there are no keys, so everybody could send, read and delete "
            "jobs. Make a key with `cdvd keys create NAME`, or bind 127.0.0.1; CDVD_ALLOW_UNAUTHENTICATED=true is for "
            "where something else decides who reaches it."
        )


def listen(host: str, port: int) -> socket.socket:
    """Returns a socket that takes connections; port 0 takes a free one. Raises StackFailed."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        place = f"{host} port {port}"
        if error.errno == errno.EADDRINUSE:
            raise StackFailed(f"Something listens on {place} already; --port takes another one.") from error
        raise StackFailed(f"Cannot listen on {place}: {error.strerror or error}") from error


def url_of(listener: socket.socket) -> str:
    """Returns the address under which this machine reaches a listener."""
    host, port = listener.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"
