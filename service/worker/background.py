"""Threads of a worker beside its tasks: each does one kind of work that is due, then looks again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from service.errors.base import ServiceError

log = logging.getLogger(__name__)

PAUSE_S = 1.0


class Background:
    """Runs ``step`` again and again; it returns whether it found anything to do."""

    def __init__(self, name: str, step: Callable[[], bool], pause_s: float = PAUSE_S) -> None:
        self._name = name
        self._step = step
        self._pause_s = pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience_s: float = 1.0) -> None:
        """Begin nothing more; what is not over in time is due again and done by another worker."""
        self._stopping.set()
        self._thread.join(patience_s)

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
            log.exception("%s: unexpected", self._name)  # the thread must outlive one bad job
        return False
