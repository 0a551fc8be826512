"""The pace of an engine in the hands of a test: nothing is done before the test lets it, on whatever machine."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from threading import Condition

_LOOK_S = 0.1


class Pace:
    """Frames that may be restored; windows wait for them in the order of their arrival. Held at first."""

    def __init__(self) -> None:
        self._left: float = 0
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    def let(self, frames: float) -> None:
        """Lets windows pass until so many frames have passed from now on, then holds again."""
        with self._changed:
            self._left = frames
            self._changed.notify_all()

    def hold(self) -> None:
        """Lets nothing pass."""
        self.let(0)

    def release(self) -> None:
        """Lets everything pass."""
        self.let(math.inf)

    @property
    def waiting(self) -> int:
        """Windows that wait."""
        with self._changed:
            return len(self._waiting)

    @property
    def left(self) -> float:
        """Frames that may still pass; not above zero while windows are held."""
        with self._changed:
            return self._left

    def take_turn(self, frames: int, wanted: Callable[[], bool]) -> bool:
        """Waits until a window of so many frames may pass; False when it is not ``wanted`` any more."""
        ticket = object()
        with self._changed:
            self._waiting.append(ticket)
            while wanted() and not self._may_pass(ticket):
                self._changed.wait(_LOOK_S)
            passes = self._may_pass(ticket) and wanted()
            self._waiting.remove(ticket)
            if passes:
                self._left -= frames
            self._changed.notify_all()
            return passes

    def _may_pass(self, ticket: object) -> bool:
        return self._left > 0 and self._waiting[0] is ticket
