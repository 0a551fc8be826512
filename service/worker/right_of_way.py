"""Lets the segments of one job pass those of another at the engine, between two windows.

A worker that is busy with a long segment begins a short one beside it; the long one pauses at its next window until the
short one is done. Its windows at the engine, and what it has decoded, stay as they are. Where the engine is this
machine's processor, which computes one window at a time, the others wait here, where they can still be passed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition

from service.errors.job import JobCanceled
from service.inference.engine import DeblurEngine, Frames, Stopped, never

_LOOK_S = 0.1
"""Seconds between two looks whether a paused segment is still wanted."""


class RightOfWay:
    """Knows which jobs give way. Safe to use from several threads."""

    def __init__(self) -> None:
        self._giving_way: Counter[str] = Counter()
        self._computing = False
        self._changed = Condition()

    @contextmanager
    def over(self, job_id: str | None) -> Iterator[None]:
        """Has the segments of a job in this worker wait meanwhile; None is no job."""
        self._count(job_id, 1)
        try:
            yield
        finally:
            self._count(job_id, -1)

    def wait(self, job_id: str, stopped: Stopped, on_look: Callable[[], None]) -> None:
        """Returns once a job need not give way, or is ``stopped``."""
        with self._changed:
            while self._giving_way[job_id] and not stopped():
                on_look()
                self._changed.wait(_LOOK_S)

    @contextmanager
    def processor(self, job_id: str, stopped: Stopped) -> Iterator[bool]:
        """Yields True once no window is computed, and keeps others from it meanwhile; the caller computes one.

        Yields False if the job must give way first, or is ``stopped``.
        """
        with self._changed:
            while self._computing and not self._giving_way[job_id] and not stopped():
                self._changed.wait(_LOOK_S)
            mine = not self._computing and not self._giving_way[job_id]
            self._computing |= mine
        try:
            yield mine
        finally:
            if mine:
                with self._changed:
                    self._computing = False
                    self._changed.notify_all()

    def _count(self, job_id: str | None, change: int) -> None:
        if job_id is not None:
            with self._changed:
                self._giving_way[job_id] += change
                self._giving_way += Counter()  # forgets jobs that do not give way any more
                self._changed.notify_all()


class GivingWay:
    """An engine for one segment, which waits before a window while its job gives way. Implements ``DeblurEngine``."""

    def __init__(
        self,
        engine: DeblurEngine,
        way: RightOfWay,
        job_id: str,
        on_look: Callable[[], None],
        *,
        in_turn: bool = False,
    ) -> None:
        """``on_look`` is called now and then while a window gives way, from any thread.

        ``in_turn``: the engine computes on the processor, and gets one window of this worker at a time.
        """
        self._engine = engine
        self._in_turn = in_turn
        self._way = way
        self._job_id = job_id
        self._on_look = on_look
        self._waiting = 0
        self._since = 0.0
        self._waited = 0.0
        self._changed = Condition()

    @property
    def waited_s(self) -> float:
        """Seconds for which windows of the segment waited so far, one or several."""
        with self._changed:
            return self._waited + (time.monotonic() - self._since if self._waiting else 0.0)

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        while True:
            with self._noted():
                self._way.wait(self._job_id, stopped, self._on_look)
            if stopped():
                raise JobCanceled("Nobody wants this window any more.")
            if not self._in_turn:
                return self._engine.restore(window, stopped)
            with self._way.processor(self._job_id, stopped) as mine:
                if mine:
                    return self._engine.restore(window, stopped)

    def close(self) -> None:
        self._engine.close()

    @contextmanager
    def _noted(self) -> Iterator[None]:
        with self._changed:
            self._since = self._since if self._waiting else time.monotonic()
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                if not self._waiting:
                    self._waited += time.monotonic() - self._since
