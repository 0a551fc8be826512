"""Which addresses are safe for a service that asks for no key."""

from __future__ import annotations

import ipaddress

from service.errors import InsecureAddress


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine and nothing else."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def require_safe_address(host: str, allow_unauthenticated: bool) -> None:
    """Raise InsecureAddress where the whole network could use a service that asks for no key."""
    if not is_loopback(host) and not allow_unauthenticated:
        raise InsecureAddress(
            f"{host} is reachable from other machines and no keys are configured, so everybody could send, "
            "read and delete jobs. Bind 127.0.0.1, or set CDVD_ALLOW_UNAUTHENTICATED=true to accept that."
        )
