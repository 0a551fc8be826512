"""A lock that many hold together, or one alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class SharedLock:
    """Lets many work side by side, and one alone when they are done; who wants to be alone comes before newcomers."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sharing = 0
        self._wanting = 0
        self._alone = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Waits while somebody is alone, or wants to be."""
        with self._changed:
            self._changed.wait_for(lambda: not (self._alone or self._wanting))
            self._sharing += 1
        try:
            yield
        finally:
            with self._changed:
                self._sharing -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until nobody else is here."""
        with self._changed:
            self._wanting += 1
            self._changed.wait_for(lambda: not (self._alone or self._sharing))
            self._wanting -= 1
            self._alone = True
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
