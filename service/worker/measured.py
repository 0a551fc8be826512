"""What this worker learns from its work, for the estimates of jobs to come."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from service.errors.broker import BrokerUnavailable
from service.estimates.throughput import Throughput
from service.jobs.job import Job, Output
from service.metrics import ESTIMATE_RATIO

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Measured:
    """Raises nothing: an estimate that learns nothing from one window is no reason to stop."""

    throughput: Throughput
    engine: str
    """The kind of engine, as in the worker's heartbeat."""

    def window(self, job: Job, frames: int, seconds: float) -> None:
        """``frames`` more frames of a segment took ``seconds``."""
        video = job.spec.video
        try:
            self.throughput.learn_rate(
                job.spec.model, self.engine, frames * video.width * video.height, seconds
            )
        except BrokerUnavailable as error:
            log.warning("throughput is not noted: %s", error, extra={"job": job.id})

    def result(self, job: Job, output: Output) -> None:
        """A job has finished: how large its result is, and how good its estimate was."""
        if job.spec.estimated_s:
            ESTIMATE_RATIO.observe((time.time() - job.created_at) / job.spec.estimated_s)
        video, options = job.spec.video, job.spec.options
        pixels = output.frames * video.width * video.height
        try:
            self.throughput.learn_size(options.codec, options.crf, pixels, output.bytes)
        except BrokerUnavailable as error:
            log.warning("the size of a result is not noted: %s", error, extra={"job": job.id})
