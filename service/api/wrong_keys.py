"""Slows down whoever tries keys: wrong ones are counted by address. A right key is let in whatever came before it."""

from __future__ import annotations

import math
import threading
import time

from service.api.connections.gate import home_of
from service.errors.limit import RateLimited

WINDOW_S = 60.0
REMEMBERED = 10_000
"""Addresses that are remembered; beyond, those that have waited long enough are forgotten."""


class WrongKeys:
    """Counts, in this process, by the generic cell rate algorithm."""

    def __init__(self, per_minute: int) -> None:
        self._step = WINDOW_S / per_minute
        self._full_at: dict[object, float] = {}
        self._lock = threading.Lock()

    def count(self, address: str) -> None:
        """Counts a wrong key. Raises RateLimited if too many came from the address."""
        home, now = home_of(address), time.monotonic()
        with self._lock:
            if len(self._full_at) >= REMEMBERED:
                self._full_at = {one: then for one, then in self._full_at.items() if then > now}
            full_at = max(self._full_at.get(home, now), now) + self._step
            wait = full_at - WINDOW_S - now
            if wait <= 0:
                self._full_at[home] = full_at
        if wait > 0:
            raise RateLimited("Too many wrong keys came from your address; wait a while.", math.ceil(wait))
