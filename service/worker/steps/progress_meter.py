"""Passes the progress of a segment on, with the time that it took."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from service.errors.broker import BrokerUnavailable
from service.jobs.job import Job
from service.jobs.step_leases import StepLeases
from service.pipeline.segment import NewestFrame
from service.worker.throughput_recorder import ThroughputRecorder
from service.worker.watchdog import Touch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ProgressListeners:
    """Who hears of progress: the job's record, the estimates, the watchdog, and whoever looks at the newest frame."""

    leases: StepLeases
    recorder: ThroughputRecorder
    touch: Touch
    show: Callable[[NewestFrame], int | None]
    """Returns the number of the frame if it is to be seen from now on."""


class ProgressMeter:
    """Measures one segment from its construction on, without the time for which it gave way to others."""

    def __init__(
        self, listeners: ProgressListeners, job: Job, step: str, waited_s: Callable[[], float]
    ) -> None:
        """``waited_s`` returns for how many seconds the segment gave way so far."""
        self._listeners = listeners
        self._job = job
        self._step = step
        self._frames = 0
        self._waited_s = waited_s
        self._since = time.monotonic()

    def advance(self, frames: int, newest: NewestFrame) -> None:
        """Reports that ``frames`` frames of the segment are restored by now, and which is the newest."""
        now = time.monotonic() - self._waited_s()
        new, seconds = frames - self._frames, now - self._since
        self._frames, self._since = frames, now
        self._listeners.touch()
        self._listeners.recorder.window(self._job, new, seconds)
        shown = self._listeners.show(newest)
        try:
            self._listeners.leases.progress(self._job.id, self._step, frames, new, seconds, shown)
        except BrokerUnavailable as error:
            log.warning(
                "Progress was not recorded: %s", error, extra={"job": self._job.id, "step": self._step}
            )
