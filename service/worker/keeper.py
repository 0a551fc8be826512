"""The thread beside the tasks: keeps claims alive, says that the worker lives, ends it when it hangs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from service.errors.broker import BrokerUnavailable
from service.jobs.reconcile import Reconciler
from service.jobs.step_leases import StepLeases
from service.jobs.workers import WorkerRegistry, WorkerState

log = logging.getLogger(__name__)

EXIT_STALLED = 75
"""EX_TEMPFAIL: whoever supervises the worker starts it again."""
RECONCILE_S = 5.0
"""How long a lost step may go unnoticed. A round over the active jobs takes milliseconds."""


@dataclass(frozen=True)
class KeeperTimes:
    """``claim_ttl_s``: silence that means death; ``stall_timeout_s``: a step without progress."""

    claim_ttl_s: int
    stall_timeout_s: float


class Keeper:
    """Watches over the steps that this worker holds. ``stopping`` asks them to end at the next window."""

    def __init__(
        self,
        leases: StepLeases,
        reconciler: Reconciler,
        registry: WorkerRegistry,
        describe: Callable[[int], WorkerState],
        times: KeeperTimes,
    ) -> None:
        """``describe`` makes the heartbeat from the number of steps in work."""
        self._leases = leases
        self._reconciler = reconciler
        self._registry = registry
        self._describe = describe
        self._times = times
        self._held: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self._stop_at = float("inf")
        self._thread = threading.Thread(target=self._guarded_run, name="keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def drain(self, patience_s: float) -> None:
        """Let steps in work go on for so long before ``stopping`` is set; only notes it, as signal handlers may."""
        if patience_s > 0:
            self._stop_at = time.monotonic() + patience_s
        else:
            self.stopping.set()

    def stop(self) -> None:
        """Say goodbye; the steps should have ended before."""
        self.stopping.set()
        self._thread.join()
        with suppress(BrokerUnavailable):
            self._registry.leave(self._describe(0).name)

    @contextmanager
    def holding(self, job_id: str, step: str) -> Iterator[Callable[[], None]]:
        """Renew the claim on a step meanwhile; gives a function to call on every bit of progress."""
        key = (job_id, step)

        def touch() -> None:
            with self._lock:
                self._held[key] = time.monotonic()

        touch()
        try:
            yield touch
        finally:
            with self._lock:
                del self._held[key]

    def _guarded_run(self) -> None:
        """Without this thread the worker would work on with dead claims, so it does not outlive it."""
        try:
            self._run()
        except BaseException:
            log.critical("the keeper failed; the worker ends", exc_info=True)
            os._exit(EXIT_STALLED)

    def _run(self) -> None:
        pause = min(self._times.claim_ttl_s, self._times.stall_timeout_s) / 4
        next_round = 0.0
        while not self.stopping.is_set():
            self._end_if_stalled()
            if time.monotonic() >= self._stop_at:
                self.stopping.set()
            try:
                self._beat()
                if time.monotonic() >= next_round:
                    self._reconcile()
                    next_round = time.monotonic() + RECONCILE_S
            except BrokerUnavailable as error:
                log.warning("heartbeat: %s", error)
            self.stopping.wait(min(pause, RECONCILE_S))
        self._forgive()

    def _beat(self) -> None:
        held = self._steps()
        for job_id, step in held:
            self._leases.renew(job_id, step)
        self._registry.beat(self._describe(len(held)), self._times.claim_ttl_s)

    def _reconcile(self) -> None:
        found = self._reconciler.run()
        if found:
            log.info("queued %d steps again that nobody worked on", found)

    def _forgive(self) -> None:
        """Steps in work end at the next window or are killed; either way they did not kill the worker."""
        try:
            for job_id, step in self._steps():
                self._leases.forgive(job_id, step)
        except BrokerUnavailable as error:
            log.warning("goodbye: %s", error)

    def _end_if_stalled(self) -> None:
        latest = time.monotonic() - self._times.stall_timeout_s
        with self._lock:
            stalled = [key for key, touched in self._held.items() if touched < latest]
        for job_id, step in stalled:
            log.critical("no progress for too long; the worker ends", extra={"job": job_id, "step": step})
        if stalled:
            logging.shutdown()
            os._exit(EXIT_STALLED)  # a thread that hangs in native code cannot be stopped in any other way

    def _steps(self) -> list[tuple[str, str]]:
        with self._lock:
            return list(self._held)
