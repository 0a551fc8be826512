"""Keeps the work of a worker's threads within one limit of memory: what does not fit beside the others waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from service.errors.job import JobCanceled

_ROUND_S = 0.5


class MemoryGate:
    """Lends bytes to the segments in work. Safe to use from several threads."""

    def __init__(self, limit: int | None) -> None:
        """``limit``: bytes that may be lent at a time; None is any number."""
        self._limit = limit
        self._lent: list[int] = []
        self._changed = Condition()

    @contextmanager
    def lent(self, size: int, waited: Callable[[], None], should_stop: Callable[[], bool]) -> Iterator[None]:
        """Lends ``size`` bytes as soon as they are free; a segment that is alone gets them in any case.

        ``waited`` is called while this waits. Raises JobCanceled when ``should_stop`` says so.
        """
        with self._changed:
            while self._limit is not None and self._lent and sum(self._lent) + size > self._limit:
                waited()
                if should_stop():
                    raise JobCanceled("The job was canceled while it waited for memory.")
                self._changed.wait(_ROUND_S)
            self._lent.append(size)
        try:
            yield
        finally:
            with self._changed:
                self._lent.remove(size)
                self._changed.notify_all()
