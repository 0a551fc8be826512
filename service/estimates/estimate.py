"""What a video would take, by what was measured on this installation. Nothing is guessed: unknown is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.estimates.throughput import ThroughputBook
from service.jobs.job import Job, JobStatus
from service.jobs.store import RedisJobStore
from service.jobs.workers import WorkerRegistry, WorkerState
from service.window_limits import WindowLimits, WindowMemory, segment_count

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
        self, book: ThroughputBook, store: RedisJobStore, workers: WorkerRegistry, limits: WindowLimits
    ) -> None:
        self.book = book
        self._store = store
        self._workers = workers
        self._limits = limits

    def estimate(self, video: Described) -> Estimate:
        """How long ``video`` would take if it were submitted now."""
        alive = self._workers.alive()
        segments = segment_count(video.frames, self._limits.segment_frames)
        alone = capacity(self.book.rates(video.model), alive, segments)
        return Estimate(self._waiting(alive), video.pixels / alone if alone else None)

    def memory(self, video: Described, model: WindowMemory) -> int:
        """Returns the bytes that a worker takes for the windows of one segment of ``video``."""
        return self._limits.segment_bytes(video.width * video.height, video.frames, model)

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
