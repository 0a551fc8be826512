"""Starts children from one thread, starts them again when they die, and stops them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.errors.startup import StackFailed
from service.local.children import Child

log = logging.getLogger(__name__)

LOOK_S = 0.1
"""Seconds between two looks at which children have died."""
HEALTH_S = 1.0
"""Seconds between two checks of their health and of the size of their logs."""


@dataclass(frozen=True)
class SupervisedChild:
    """A child, and a check that must succeed before the next one is started."""

    child: Child
    is_ready: Callable[[], bool] = lambda: True
    is_healthy: Callable[[int], bool] = lambda _pid: True
    """Called with the process id every second; a child that is not healthy is killed and started again."""


class Supervisor:
    """Starts children in order and stops them in reverse order.

    One thread does all of that and lives as long as they do: to the kernel, the end of the thread that started a child
    is the death of its parent.
    """

    def __init__(self, supervised: Sequence[SupervisedChild]) -> None:
        self._supervised = supervised
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._failure: StackFailed | None = None
        self._look_at = 0.0
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Starts the thread, which starts the children."""
        self._thread.start()

    def stop(self) -> None:
        """Stops all children and waits for their end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Returns True once all children have ended, or False after the timeout. Raises StackFailed."""
        ended = self._ended.wait(timeout_s)
        if self._failure:
            raise self._failure
        return ended

    def log_tails(self) -> str:
        """Returns the last log lines of every child, for an error message."""
        tails = ((one.child.spec.name, one.child.log_tail()) for one in self._supervised)
        return "\n".join(f"--- {name} ---\n{tail}" for name, tail in tails if tail)

    def _run(self) -> None:
        try:
            for one in self._supervised:
                one.child.start()
                self._await(one)
            while not self._stopping.wait(LOOK_S):
                self._look()
                self._revive()
        except (StackFailed, OSError) as error:
            self._failure = error if isinstance(error, StackFailed) else StackFailed(str(error))
        finally:
            for one in reversed(self._supervised):
                one.child.stop()
            self._ended.set()

    def _await(self, one: SupervisedChild) -> None:
        while not self._stopping.wait(LOOK_S / 2) and not one.is_ready():
            if not one.child.running:
                raise StackFailed(
                    f"{one.child.spec.name} does not start. Its log ends with:\n{one.child.log_tail()}"
                )

    def _look(self) -> None:
        """Ends children that are not healthy, and keeps logs short."""
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + HEALTH_S
        for one in self._supervised:
            one.child.trim_log()
            if one.child.running and one.child.pid and not one.is_healthy(one.child.pid):
                log.warning("%s is not healthy and is started again", one.child.spec.name)
                one.child.kill()

    def _revive(self) -> None:
        for one in self._supervised:
            if one.child.refused:
                raise StackFailed(
                    f"{one.child.spec.name} cannot work here. Its log ends with:\n{one.child.log_tail()}"
                )
            if one.child.revive():
                log.warning("%s died and was started again", one.child.spec.name)
            elif one.child.given_up and not one.child.running:
                raise StackFailed(
                    f"{one.child.spec.name} died again and again. Its log is {one.child.spec.log} and ends with:\n"
                    f"{one.child.log_tail()}"
                )
