"""Records what this worker learns from its work, for the estimates of later jobs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from service.errors.broker import BrokerUnavailable
from service.estimates.throughput import Throughput
from service.jobs.job import Job, Output
from service.metrics import ESTIMATE_RATIO

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ThroughputRecorder:
    """Records rates and sizes. Raises nothing: estimates that miss one window are no reason to stop."""

    throughput: Throughput
    runtime: Callable[[str], str]
    """Returns what a model runs on, as `WorkerState.runtime` has it."""

    def window(self, job: Job, frames: int, seconds: float) -> None:
        """Records that ``frames`` more frames of a segment took ``seconds``; a frame counts once per look."""
        video = job.spec.video
        pixels = frames * video.width * video.height * job.spec.looks
        try:
            self.throughput.learn_rate(job.spec.model, self.runtime(job.spec.model), pixels, seconds)
        except BrokerUnavailable as error:
            log.warning("The throughput was not recorded: %s", error, extra={"job": job.id})

    def result(self, job: Job, output: Output) -> None:
        """Records how large the result of a finished job is, and how good its estimate was."""
        if job.spec.estimated_s:
            ESTIMATE_RATIO.observe((time.time() - job.created_at) / job.spec.estimated_s)
        video, options = job.spec.video, job.spec.options
        pixels = output.frames * video.width * video.height
        try:
            self.throughput.learn_size(options, pixels, output.bytes)
        except BrokerUnavailable as error:
            log.warning("The size of a result was not recorded: %s", error, extra={"job": job.id})
