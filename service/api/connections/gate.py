"""Counts connections: as many as the process can hold, and a part of them from one address.

Whoever has not sent a request yet makes room first. Where all places are taken by requests, a few more connections are
let in to be told so, and to ask ``/livez``.
"""

from __future__ import annotations

import ipaddress
import logging
import resource
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

log = logging.getLogger(__name__)

ACCEPTED_AT_ONCE = 128
"""Connections that the event loop may take from the kernel before it looks at any of them."""
TURNED_AWAY_AT_ONCE = 32
"""Connections beyond the limit that are told so at a time; one more drops the oldest of them."""
OTHER_DESCRIPTORS = 96
"""For Redis, logs, pipes of child processes, and whatever libraries open."""
DESCRIPTORS_EACH = 3
_IPV6_HOME = 64
"""Bits of an IPv6 address that one customer shares: it has all the others to itself."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Admission(Enum):
    """What a new connection may do."""

    SERVED = "served"
    FULL = "full"
    """There is no place; it is answered that, and nothing else but ``/livez``."""
    TOO_MANY = "too many"
    """Its address has as many places as it may have."""


class Guest(Protocol):
    """A connection, as the gate sees it."""

    address: str
    """The IP address at the other end; empty for a socket without one."""

    def drop(self) -> None:
        """Closes the connection at once; it tells ``Gate.leave`` itself."""
        ...


@dataclass(frozen=True)
class GateLimits:
    """How many connections there may be."""

    total: int
    per_address: int
    exempt: tuple[Network, ...] = ()
    """Networks whose addresses stand for many: reverse proxies, and this machine."""


class Gate:
    """The connections of one gateway. For one event loop."""

    def __init__(self, limits: GateLimits) -> None:
        self._limits = limits
        self._served: dict[Guest, None] = {}
        self._silent: dict[Guest, None] = {}
        """Those of the served that have not sent a whole request yet, oldest first."""
        self._turned_away: dict[Guest, None] = {}
        self._counts: Counter[str] = Counter()
        self._told = False
        """Whether the log has it that one address had too many."""

    def enter(self, guest: Guest) -> Admission:
        """Takes a connection in, at the cost of one that has not asked for anything yet where that is needed."""
        admission = self._admission(guest)
        if admission is Admission.SERVED:
            self._served[guest] = self._silent[guest] = None
            self._counts[self._home(guest)] += 1
        else:
            if len(self._turned_away) >= TURNED_AWAY_AT_ONCE:
                self._drop(next(iter(self._turned_away)))
            self._turned_away[guest] = None
        return admission

    def asked(self, guest: Guest) -> None:
        """Notes that a connection has sent a request, which keeps its place."""
        self._silent.pop(guest, None)

    def idles(self, guest: Guest) -> None:
        """Notes that a connection was answered and may be dropped for another."""
        if guest in self._served:
            self._silent[guest] = None

    def leave(self, guest: Guest) -> None:
        """Frees the place of a connection. May be called twice."""
        self._turned_away.pop(guest, None)
        self._silent.pop(guest, None)
        if guest in self._served:
            del self._served[guest]
            self._counts[self._home(guest)] -= 1
            self._counts += Counter()  # forgets the addresses that have none left

    def _admission(self, guest: Guest) -> Admission:
        home = self._home(guest)
        if home and self._counts[home] >= self._limits.per_address:
            self._tell_once(home)
            silent = next((one for one in self._silent if self._home(one) == home), None)
            if silent is None:
                return Admission.TOO_MANY
            self._drop(silent)
        elif len(self._served) >= self._limits.total:
            if not self._silent:
                return Admission.FULL
            self._drop(next(iter(self._silent)))
        return Admission.SERVED

    def _tell_once(self, home: str) -> None:
        """Says it the first time alone: whoever floods a gateway should not fill its log as well."""
        if not self._told:
            self._told = True
            log.warning(
                "%s has all of the %d connections that one address may have (CDVD_CONNECTIONS_PER_ADDRESS); if it is a "
                "reverse proxy or a gateway of many users, add it to CDVD_PROXIES. This is said once",
                home,
                self._limits.per_address,
            )

    def _drop(self, guest: Guest) -> None:
        self.leave(guest)
        guest.drop()

    def _home(self, guest: Guest) -> str:
        """Returns what connections are counted by; empty for those that are not counted."""
        address = _address(guest.address)
        exempt = address is None or any(
            address.version == network.version and address in network for network in self._limits.exempt
        )
        return "" if exempt else str(home_of(guest.address))


def home_of(text: str) -> Network | None:
    """Returns what counts as one client: an IPv4 address, or a /64 of IPv6; None for what is no address."""
    address = _address(text)
    if address is None:
        return None
    return ipaddress.ip_network((address, 32 if address.version == 4 else _IPV6_HOME), strict=False)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Reads addresses and networks such as ``10.0.0.0/8``. Raises ValueError."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def room_for_connections(wanted: int) -> int:
    """Lets this process open as many files as it may, and returns how many connections that is enough for.

    A connection may hold two files open beside itself: an upload, and the directory that it occupies.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    others = ACCEPTED_AT_ONCE + TURNED_AWAY_AT_ONCE + OTHER_DESCRIPTORS
    needed = DESCRIPTORS_EACH * wanted + others
    limit = needed if most == resource.RLIM_INFINITY else min(needed, most)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    return max(16, min(wanted, (limit - others) // DESCRIPTORS_EACH))
