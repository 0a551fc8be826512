"""The thread beside the tasks: keeps claims alive, reports the worker as alive, and looks for lost steps."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from service.errors.broker import BrokerUnavailable
from service.jobs.reconcile import Reconciler
from service.jobs.step_leases import StepLeases
from service.jobs.workers import WorkerRegistry, WorkerState
from service.logs import RecurringWarning
from service.metrics import frames_restored
from service.text import plural
from service.worker.frame_rate import FrameRate
from service.worker.watchdog import EXIT_TRY_AGAIN, Watchdog

log = logging.getLogger(__name__)
_unrecorded = RecurringWarning(log)

RECONCILE_S = 5.0
"""Seconds for which a lost step may go unnoticed. A round over the active jobs takes milliseconds."""


class Heartbeat:
    """Renews the claims of the steps in work. ``stopping`` asks the steps to end at the next window."""

    def __init__(
        self,
        leases: StepLeases,
        reconciler: Reconciler,
        registry: WorkerRegistry,
        watchdog: Watchdog,
        describe: Callable[[int], WorkerState],
    ) -> None:
        """``describe`` returns what the worker says of itself, from the number of steps in work."""
        self._leases = leases
        self._reconciler = reconciler
        self._registry = registry
        self._watchdog = watchdog
        self._describe = describe
        self.stopping = threading.Event()
        self._rate = FrameRate(frames_restored)
        self._stop_at = float("inf")
        self._thread = threading.Thread(target=self._guarded_run, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Starts the thread. Whatever an earlier worker of this name was asked for ended with it."""
        with suppress(BrokerUnavailable):
            self._registry.undrain(self._describe(0).name)
        self._thread.start()

    def last_words(self, fault: str) -> None:
        """Tells why this worker takes no work, for as long as a heartbeat lasts: it is about to end."""
        with suppress(BrokerUnavailable):
            self._registry.beat(replace(self._describe(0), fault=fault), self._leases.claim_ttl_s)

    def drain(self, patience_s: float) -> None:
        """Sets ``stopping`` after ``patience_s`` seconds, so that steps in work may end; only notes the time, because
        signal handlers call this.
        """
        if patience_s > 0:
            self._stop_at = time.monotonic() + patience_s
        else:
            self.stopping.set()

    def stop(self) -> None:
        """Removes the worker from the registry; the steps should have ended before."""
        self.stopping.set()
        self._thread.join()
        with suppress(BrokerUnavailable):
            self._registry.leave(self._describe(0).name)

    def _guarded_run(self) -> None:
        """Ends the worker if this thread fails: it would work on with claims that expired."""
        try:
            self._run()
        except BaseException:
            log.critical("The heartbeat failed; the worker ends", exc_info=True)
            os._exit(EXIT_TRY_AGAIN)

    def _run(self) -> None:
        pause = min(self._leases.claim_ttl_s, self._watchdog.stall_timeout_s) / 4
        next_round = 0.0
        while not self.stopping.is_set():
            self._watchdog.end_if_stalled()
            if time.monotonic() >= self._stop_at:
                self.stopping.set()
            try:
                self._beat()
                if time.monotonic() >= next_round:
                    self._reconcile()
                    next_round = time.monotonic() + RECONCILE_S
            except BrokerUnavailable as error:
                _unrecorded.say("A heartbeat was not recorded: %s", error)
            self.stopping.wait(min(pause, RECONCILE_S))
        self._forgive()

    def _beat(self) -> None:
        steps = self._watchdog.steps()
        for job_id, step in steps:
            self._leases.renew(job_id, step)
        state = self._describe(len(steps))
        told = replace(
            state,
            steps=tuple(f"{job_id} {step}" for job_id, step in steps),
            frames_per_second=round(self._rate.now(), 3),
            draining=self._registry.is_draining(state.name),
            stopping=self._stop_at < float("inf"),
        )
        self._registry.beat(told, self._leases.claim_ttl_s)

    def _reconcile(self) -> None:
        found = self._reconciler.run()
        if found:
            log.info("Queued %s again that no worker held", plural(found, "step"))

    def _forgive(self) -> None:
        """Steps in work end at the next window or are killed; either way they did not crash the worker."""
        try:
            for job_id, step in self._watchdog.steps():
                self._leases.forgive(job_id, step)
        except BrokerUnavailable as error:
            log.warning("Steps in work will count as crashes: %s", error)
