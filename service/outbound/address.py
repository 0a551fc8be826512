"""Decides which servers the service calls: public ones, and with the operator's consent those of an intranet."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from service.errors.outbound import AddressRefused

LONGEST_URL = 2000
"""Characters of a URL at most."""
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that was ever given to anybody (RFC 4291)."""
_SET_APART = tuple(
    map(
        ipaddress.ip_network,
        (
            *("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.175.48.0/24"),
            *("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
        ),
    )
)
"""Blocks in the registries of special addresses, some of which count as global: anycast, tunnels, documentation."""

Resolve = Callable[[str, int], tuple[str, ...]]
"""Returns the IP addresses of a host and a port; raises OSError."""


@dataclass(frozen=True)
class Reach:
    """Which servers may be called."""

    private: bool = False
    """This machine and those of private networks, too."""
    ports: frozenset[int] | None = None
    """None is 80 and 443, and any port where private networks may be called."""
    hosts: frozenset[str] | None = None
    """Names of hosts; one that begins with a dot stands for all below it. None is any host."""

    def allowed_ports(self) -> frozenset[int] | None:
        """Returns the ports; None is any."""
        if self.ports is None:
            return None if self.private else frozenset(_DEFAULT_PORTS.values())
        return self.ports

    def allows_host(self, host: str) -> bool:
        """Returns whether a host may be called by its name."""
        if self.hosts is None:
            return True
        return any(host == name or (name.startswith(".") and host.endswith(name)) for name in self.hosts)


@dataclass(frozen=True)
class Target:
    """The parts of a URL. ``path`` includes the query, as the request line does."""

    secure: bool
    host: str
    port: int
    path: str


def read_target(url: str) -> Target:
    """Splits a URL. Raises AddressRefused for anything but a plain http or https URL without credentials."""
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused(
            f"A URL has up to {LONGEST_URL} printable ASCII characters, none of them a space."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"This is not a URL: {error}.") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise AddressRefused("A URL begins with https:// or http:// and names a host.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("A URL holds no name and password.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme == "https", parts.hostname, port or _DEFAULT_PORTS[parts.scheme], path)


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Returns the IP addresses of a host, from the system's resolver. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


def permitted_addresses(target: Target, reach: Reach, resolver: Resolve = resolve) -> tuple[str, ...]:
    """Returns the IP addresses to connect to.

    A connection must go to one of these and not resolve the name again, because the answer could change in between.
    Raises AddressRefused for a host or a port that is not allowed and if any address is not public, and OSError if
    the name cannot be resolved.
    """
    if not reach.allows_host(target.host):
        raise AddressRefused(f"The service does not call the host {target.host}.")
    ports = reach.allowed_ports()
    if ports is not None and target.port not in ports:
        listed = ", ".join(map(str, sorted(ports)))
        raise AddressRefused(f"The service calls the ports {listed}, not {target.port}.")
    addresses = resolver(target.host, target.port)
    if not reach.private:
        for address in addresses:
            if not is_public(address):
                raise AddressRefused(
                    f"The service calls public addresses only; {target.host} is at {address}."
                )
    return addresses


def is_public(text: str) -> bool:
    """Returns whether an address is global unicast and no block of it is set apart, now or when it is translated."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address in _NAT64:
        address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    apart = any(address.version == block.version and address in block for block in _SET_APART)
    return address.is_global and not address.is_multicast and not address.is_reserved and not apart
