"""Watches the steps in work, and ends the worker when one of them hangs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

EXIT_TRY_AGAIN = 75
"""EX_TEMPFAIL: whoever supervises the worker starts it again."""

Touch = Callable[[], None]
"""Tells the watchdog that a step made progress."""


class Watchdog:
    """Knows the steps that this worker holds, and when each last made progress. Safe to use from several threads."""

    def __init__(self, stall_timeout_s: float) -> None:
        """``stall_timeout_s``: seconds without progress after which a step hangs."""
        self.stall_timeout_s = stall_timeout_s
        self._touched: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()

    @contextmanager
    def watching(self, job_id: str, step: str) -> Iterator[Touch]:
        """Watches a step meanwhile; yields a function to call on every bit of progress."""
        key = (job_id, step)

        def touch() -> None:
            with self._lock:
                self._touched[key] = time.monotonic()

        touch()
        try:
            yield touch
        finally:
            with self._lock:
                del self._touched[key]

    def steps(self) -> list[tuple[str, str]]:
        """Returns the job id and the name of each step in work."""
        with self._lock:
            return list(self._touched)

    def stalled(self) -> list[tuple[str, str]]:
        """Returns the job id and the name of each step that hangs."""
        latest = time.monotonic() - self.stall_timeout_s
        with self._lock:
            return [key for key, touched in self._touched.items() if touched < latest]

    def end_if_stalled(self) -> None:
        """Ends the process if a step hangs: a thread that hangs in native code cannot be stopped in any other way."""
        stalled = self.stalled()
        for job_id, step in stalled:
            log.critical(
                "No progress for %g s; the worker ends",
                self.stall_timeout_s,
                extra={"job": job_id, "step": step},
            )
        if stalled:
            logging.shutdown()
            os._exit(EXIT_TRY_AGAIN)
