"""Checks where webhooks may go: to public web servers, and with the operator's consent to those of an intranet."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.errors.webhook import WebhookRefused

LONGEST_URL = 2000
"""Characters of a webhook's URL at most."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], tuple[str, ...]]
"""Returns the IP addresses of a host and a port; raises OSError."""


@dataclass(frozen=True)
class WebhookTarget:
    """The parts of a webhook's URL. ``path`` includes the query, as the request line does."""

    secure: bool
    host: str
    port: int
    path: str


def read_target(url: str) -> WebhookTarget:
    """Splits a URL. Raises WebhookRefused for anything but a plain http or https URL without credentials."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise WebhookRefused(
            f"A webhook URL has up to {LONGEST_URL} printable ASCII characters, none of them a space."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise WebhookRefused(f"This is not a URL: {error}.") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise WebhookRefused("A webhook URL begins with https:// or http:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise WebhookRefused("A webhook URL holds no credentials; check the signature instead.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookTarget(parts.scheme == "https", parts.hostname, port or _DEFAULT_PORTS[parts.scheme], path)


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Returns the IP addresses of a host, from the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted_addresses(
    target: WebhookTarget, allow_private: bool, resolver: Resolve = resolve
) -> tuple[str, ...]:
    """Returns the IP addresses to connect to.

    A connection must go to one of these and not resolve the name again, because the answer could change in between.
    Raises WebhookRefused if any address is not public, and OSError if the name cannot be resolved.
    """
    addresses = resolver(target.host, target.port)
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise WebhookRefused(f"Webhooks go to public addresses only; {target.host} is at {address}.")
    return addresses


def is_public(text: str) -> bool:
    """Returns whether an address, and any address embedded in it, is reachable from everywhere."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    reached = (address, *_embedded(address))
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in reached)


def _embedded(address: IpAddress) -> tuple[IpAddress, ...]:
    """Returns the IPv4 addresses that an IPv6 address stands for: gateways and sockets translate them back."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    known = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return tuple(one for one in known if one is not None)
