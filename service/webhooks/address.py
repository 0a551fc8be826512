"""Where webhooks may go: public web servers, and with the operator's consent those of an intranet."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.errors.webhook import WebhookRefused

LONGEST_URL = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], tuple[str, ...]]
"""From a host and a port to the addresses that it has; raises OSError."""


@dataclass(frozen=True)
class WebhookTarget:
    """A URL taken apart. ``path`` is what goes into the request line."""

    secure: bool
    host: str
    port: int
    path: str


def read_target(url: str) -> WebhookTarget:
    """Raises WebhookRefused for anything but a plain http or https URL without credentials."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise WebhookRefused(
            f"a webhook URL has up to {LONGEST_URL} printable ASCII characters, none of them a space"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise WebhookRefused(f"this is no URL: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise WebhookRefused("a webhook URL begins with https:// or http:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise WebhookRefused("a webhook URL holds no credentials; check the signature instead")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebhookTarget(parts.scheme == "https", parts.hostname, port or _DEFAULT_PORTS[parts.scheme], path)


def resolve(host: str, port: int) -> tuple[str, ...]:
    """The addresses of a host by the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted_addresses(
    target: WebhookTarget, allow_private: bool, resolver: Resolve = resolve
) -> tuple[str, ...]:
    """The addresses to connect to. Raises WebhookRefused if any of them is not public, and OSError for no answer.

    A connection must go to one of these and not ask for the name again, or the answer could change in between.
    """
    addresses = resolver(target.host, target.port)
    if not allow_private:
        for address in addresses:
            if not is_public(address):
                raise WebhookRefused(f"webhooks go to public addresses only; {target.host} is at {address}")
    return addresses


def is_public(text: str) -> bool:
    """Whether an address, and the one that it may embed, is reachable from everywhere."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    reached = (address, *_embedded(address))
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in reached)


def _embedded(address: IpAddress) -> tuple[IpAddress, ...]:
    """IPv4 addresses that an IPv6 address stands for: gateways and sockets translate them back."""
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    known = (address.ipv4_mapped, address.sixtofour, *(address.teredo or ()))
    return tuple(one for one in known if one is not None)
