"""Decides which addresses are safe for a service that asks for no key."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from service.errors.startup import InsecureAddress


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
