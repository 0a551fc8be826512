"""The thread that starts children, starts them again when they die, and stops them."""

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
HEALTH_S = 1.0


@dataclass(frozen=True)
class Supervised:
    """A child, and a test that it must pass before the next one is started."""

    child: Child
    is_ready: Callable[[], bool] = lambda: True
    is_healthy: Callable[[int], bool] = lambda _pid: True
    """Asked with the process id now and then; one that is not is killed, and so started again."""


class Supervisor:
    """Children are started in order and stopped in reverse, all from one thread that lives as long as they do:
    to the kernel, the death of the thread that started a child is the death of its parent.
    """

    def __init__(self, supervised: Sequence[Supervised]) -> None:
        self._supervised = supervised
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._failure: StackFailed | None = None
        self._look_at = 0.0
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop all children and wait until they are gone."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until the children are gone, True, or until the timeout, False. Raises StackFailed."""
        ended = self._ended.wait(timeout_s)
        if self._failure:
            raise self._failure
        return ended

    def log_tails(self) -> str:
        """The last lines of every child, for an error message."""
        tails = ((one.child.spec.name, one.child.log_tail()) for one in self._supervised)
        return "\n".join(f"--- {name} ---\n{tail}" for name, tail in tails if tail)

    def _run(self) -> None:
        try:
            for one in self._supervised:
                one.child.start()
                self._await(one)
            while not self._stopping.wait(LOOK_S):
                self._kill_the_sick()
                self._revive()
        except (StackFailed, OSError) as error:
            self._failure = error if isinstance(error, StackFailed) else StackFailed(str(error))
        finally:
            for one in reversed(self._supervised):
                one.child.stop()
            self._ended.set()

    def _await(self, one: Supervised) -> None:
        while not self._stopping.wait(LOOK_S / 2) and not one.is_ready():
            if not one.child.running:
                raise StackFailed(f"{one.child.spec.name} does not start:\n{one.child.log_tail()}")

    def _kill_the_sick(self) -> None:
        if time.monotonic() < self._look_at:
            return
        self._look_at = time.monotonic() + HEALTH_S
        for one in self._supervised:
            if one.child.running and one.child.pid and not one.is_healthy(one.child.pid):
                log.warning("%s is broken and is started again", one.child.spec.name)
                one.child.kill()

    def _revive(self) -> None:
        for one in self._supervised:
            if one.child.revive():
                log.warning("%s had died and was started again", one.child.spec.name)
            elif one.child.given_up and not one.child.running:
                raise StackFailed(
                    f"{one.child.spec.name} died again and again; its log is {one.child.spec.log}:\n"
                    f"{one.child.log_tail()}"
                )
