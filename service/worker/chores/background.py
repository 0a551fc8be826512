"""Runs the chores of a worker, each in a thread beside its tasks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from service.errors.base import ServiceError

log = logging.getLogger(__name__)

PAUSE_S = 1.0
"""Seconds until a chore without work looks for some again."""


class BackgroundThread:
    """Calls ``step`` again and again. ``step`` returns whether it found work; after False the thread pauses."""

    def __init__(self, name: str, step: Callable[[], bool], pause_s: float = PAUSE_S) -> None:
        self._name = name
        self._step = step
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self, patience_s: float = 1.0) -> None:
        """Begins nothing more, and waits up to ``patience_s`` seconds; unfinished work is due again later."""
        stop_all([self], patience_s)

    def end(self) -> None:
        """Begins nothing more."""
        self._stopping.set()

    def wait(self, patience_s: float) -> None:
        """Waits for the thread to end."""
        self._thread.join(max(0.0, patience_s))

    def _run(self) -> None:
        while not self._stopping.is_set():
            if not self._worked():
                self._stopping.wait(self._pause_s)

    def _worked(self) -> bool:
        try:
            return self._step()
        except ServiceError as error:
            log.warning("%s: %s", self._name, error)
        except Exception:
            log.exception("%s: unexpected error", self._name)  # The thread must outlive one bad job.
        return False


def stop_all(threads: Sequence[BackgroundThread], patience_s: float) -> None:
    """Lets no thread begin anything more, and waits up to ``patience_s`` seconds for all of them together."""
    deadline = time.monotonic() + patience_s
    for thread in threads:
        thread.end()
    for thread in threads:
        thread.wait(deadline - time.monotonic())
