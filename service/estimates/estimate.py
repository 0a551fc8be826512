"""What a video would take, by what was measured on this installation. Nothing is guessed: unknown is None."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.estimates.throughput import ThroughputBook
from service.jobs.job import Job, JobStatus
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry, WorkerState

ACTIVE_LOOKED_AT = 1000
"""Jobs of either state that count as waiting work; more would make every estimate slow."""


@dataclass(frozen=True)
class Described:
    """A video as far as its cost is concerned."""

    model: str
    width: int
    height: int
    frames: int

    @property
    def pixels(self) -> int:
        """Of all frames together."""
        return self.width * self.height * self.frames


@dataclass(frozen=True)
class WindowSizes:
    """The settings of workers that bound a segment and its windows."""

    segment_frames: int
    frames: int
    pixels: int
    bytes: int | None
    in_flight: int

    def memory(self, video: Described, frame: int, context: int) -> int:
        """Bytes of the windows of one segment; the model takes ``pixels * (context + T * frame)`` for one."""
        pixels = video.width * video.height
        longest = self.pixels // pixels if self.bytes is None else (self.bytes // pixels - context) // frame
        length = min(max(1, longest), self.frames, video.frames)
        return self.in_flight * pixels * (context + length * frame)


@dataclass(frozen=True)
class Estimate:
    """Seconds on the clock; None where nothing was measured that would tell."""

    waiting_s: float | None
    restoring_s: float | None

    @property
    def seconds(self) -> float | None:
        """From submission until the result is there."""
        if self.waiting_s is None or self.restoring_s is None:
            return None
        return self.waiting_s + self.restoring_s


class Estimator:
    """Reads throughput, workers and jobs from Redis. Methods raise BrokerUnavailable."""

    def __init__(
        self, book: ThroughputBook, store: RedisJobStore, workers: WorkerRegistry, sizes: WindowSizes
    ) -> None:
        self.book = book
        self._store = store
        self._workers = workers
        self.sizes = sizes

    def estimate(self, video: Described) -> Estimate:
        """How long ``video`` would take if it were submitted now."""
        alive = self._workers.alive()
        segments = max(1, math.ceil(video.frames / self.sizes.segment_frames))
        alone = capacity(self.book.rates(video.model), alive, segments)
        return Estimate(self._waiting(alive), video.pixels / alone if alone else None)

    def _waiting(self, alive: tuple[WorkerState, ...]) -> float | None:
        left: dict[str, int] = {}
        for job in self._active():
            left[job.spec.model] = left.get(job.spec.model, 0) + remaining_pixels(job)
        speeds = {model: capacity(self.book.rates(model), alive) for model in left}
        if not all(speeds.values()):
            return None
        return sum(pixels / speeds[model] for model, pixels in left.items())

    def _active(self) -> Iterable[Job]:
        for status in (JobStatus.RUNNING, JobStatus.QUEUED):
            yield from self._store.page(status, ACTIVE_LOOKED_AT).jobs


def remaining_pixels(job: Job) -> int:
    """Of all frames of a job that are not restored yet."""
    video, progress = job.spec.video, job.progress
    return video.width * video.height * max(0, progress.frames_total - progress.frames_done)


def capacity(rates: Mapping[str, float], alive: Iterable[WorkerState], segments: int | None = None) -> float:
    """Pixels per second of all live workers together, or of as many of their places as there are segments.

    Without a worker that was measured: what one place did at best, so that a restart does not forget. 0: nothing known.
    """
    places = [rates[worker.engine] for worker in alive if worker.engine in rates for _ in range(worker.slots)]
    return sum(sorted(places, reverse=True)[:segments]) or max(rates.values(), default=0.0)
