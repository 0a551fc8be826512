"""Holds what is due for as long as it takes, and notices when it is wanted no longer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from service.errors.broker import BrokerUnavailable
from service.errors.job import JobCanceled
from service.redis_state.due import DueList, Ticket

BEAT_S = 1.0
"""Seconds after which a lease is renewed: also how soon a cancel or a deletion is noticed."""


class Lease:
    """Renews a ticket meanwhile, in a thread. It is lost when the member was removed, or made due anew."""

    def __init__(
        self,
        due: DueList,
        ticket: Ticket,
        ttl_s: float,
        stopping: threading.Event,
        on_beat: Callable[[], None],
    ) -> None:
        """``stopping`` is set when this process ends. ``on_beat`` is called at every renewal."""
        self._due = due
        self._ttl_s = ttl_s
        self._stopping = stopping
        self._on_beat = on_beat
        self._over = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self.ticket = ticket

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def check(self) -> None:
        """Raises JobCanceled if the work is wanted no longer, or is another's, or this process ends."""
        if self._lost or self._stopping.is_set():
            raise JobCanceled("Nobody wants this transfer from here any more.")

    def pause(self, seconds: float) -> None:
        """Waits. Raises JobCanceled as ``check`` does."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.check()
            self._stopping.wait(min(left, BEAT_S))
        self.check()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            with suppress(BrokerUnavailable):  # It lapses if Redis stays away.
                renewed = self._due.renew(self.ticket, self._ttl_s)
                if renewed is None:
                    self._lost = True
                    return
                self.ticket = renewed
                self._on_beat()
