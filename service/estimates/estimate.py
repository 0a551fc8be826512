"""Estimates what a video would take, from what was measured on this installation. Nothing is guessed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from service.estimates.memory import plan_memory
from service.estimates.throughput import Throughput
from service.estimates.turns_before import Claimant, Shares, Waiting, pixels_before
from service.estimates.workload import Workload
from service.jobs.job import Job, JobStatus
from service.jobs.reader import JobReader
from service.jobs.turns import Turns, work_of
from service.jobs.workers import WorkerRegistry, WorkerState
from service.memory.plan import MemoryPlan
from service.model_catalog import ModelCard
from service.redis_state.scripts.turns import AGED, NOMINAL_RATE, SMALL
from service.window_limits import WindowLimits, segment_count

ACTIVE_LOOKED_AT = 1000
"""Queued and running jobs that count as waiting work, of each; more would make every estimate slow."""


@dataclass(frozen=True)
class Estimate:
    """Seconds of wall-clock time; None where nothing was measured yet."""

    waiting_s: float | None
    """Until the jobs whose turn is before it are restored."""
    restoring_s: float | None
    """For the video itself."""

    @property
    def seconds(self) -> float | None:
        """From submission until the result is available."""
        if self.waiting_s is None or self.restoring_s is None:
            return None
        return self.waiting_s + self.restoring_s


class Estimator:
    """Reads throughput, workers and jobs from Redis. Methods raise BrokerUnavailable."""

    def __init__(
        self,
        throughput: Throughput,
        jobs: JobReader,
        workers: WorkerRegistry,
        limits: WindowLimits,
        turns: Turns,
    ) -> None:
        """``turns`` knows the weights of tenants, as those of the workers do."""
        self.throughput = throughput
        self._turns = turns
        self._jobs = jobs
        self._workers = workers
        self._limits = limits

    def estimate(self, video: Workload, claimant: Claimant) -> Estimate:
        """Returns how long ``video`` would take if it were submitted now, and waited for its turn."""
        alive = self._workers.working()
        segments = segment_count(video.frames, self._limits.segment_frames)
        alone = capacity(self.throughput.rates(video.model), alive, segments, video.model)
        return Estimate(
            self._waiting(video, claimant, alive), video.restored_pixels / alone if alone else None
        )

    def server_rate(self, model: str) -> float:
        """Returns the pixels per second that live workers with servers or accelerators restore; 0 if unknown."""
        rates = self.throughput.rates(model)
        alive = [
            worker
            for worker in self._workers.working()
            if worker.is_accelerated(model) and worker.runtime(model) in rates
        ]
        return capacity(rates, alive, model=model) if alive else 0.0

    def memory_plan(self, video: Workload, card: ModelCard) -> MemoryPlan | None:
        """Returns how the live workers would restore ``video``; None where memory does not decide.

        Raises NeedsMoreMemory where none of them can.
        """
        return plan_memory(video, card, self._limits, self._workers.alive())

    def memory(self, video: Workload, card: ModelCard) -> int | None:
        """Returns the bytes that a worker takes for ``video``; None if the model does not say. Raises as above."""
        plan = self.memory_plan(video, card)
        if plan is not None:
            return plan.bytes
        pixels, model = video.width * video.height, card.memory
        return None if model is None else self._limits.segment_bytes(pixels, video.frames, model)

    def _waiting(self, video: Workload, claimant: Claimant, alive: tuple[WorkerState, ...]) -> float | None:
        """Returns the seconds until what comes before is restored; None if the rate of a model of it is unknown."""
        now, active = time.time(), list(self._active())
        rates = {model: self.throughput.rates(model) for model in {job.spec.model for job in active}}
        others = [
            self._place_of(job, max(rates[job.spec.model].values(), default=0.0), now) for job in active
        ]
        pixels, segments = video.restored_pixels, segment_count(video.frames, self._limits.segment_frames)
        work = pixels * video.cost
        new = Waiting(claimant, video.model, pixels, work, work / segments, now)
        shares = Shares(self._turns.used(), self._turns.weights)
        before = pixels_before(new, others, shares, sum(worker.slots for worker in alive), SMALL)
        speeds = {model: capacity(rates[model], alive, model=model) for model in before}
        if not all(speeds.values()):
            return None
        return sum(count / speeds[model] for model, count in before.items())

    def _place_of(self, job: Job, rate: float, now: float) -> Waiting:
        spec = job.spec
        whole, pixels = work_of(spec), remaining_pixels(job)
        segments = len(job.plan) or segment_count(spec.video.frames, self._limits.segment_frames)
        speed = rate * spec.cost or NOMINAL_RATE
        return Waiting(
            Claimant(job.tenant, spec.preview),
            spec.model,
            pixels,
            pixels * spec.cost,
            whole / segments,
            job.created_at,
            running=job.status is JobStatus.RUNNING,
            aged=(now - job.created_at) * speed > AGED * whole,
        )

    def _active(self) -> Iterable[Job]:
        for status in (JobStatus.RUNNING, JobStatus.QUEUED):
            yield from self._jobs.page(status, ACTIVE_LOOKED_AT).jobs


def remaining_pixels(job: Job) -> int:
    """Returns the pixels that the engine still restores for a job: those of its remaining frames, once per look."""
    video, progress = job.spec.video, job.progress
    frames = max(0, progress.frames_total - progress.frames_done)
    return video.width * video.height * frames * job.spec.looks


def capacity(
    rates: Mapping[str, float], alive: Iterable[WorkerState], segments: int | None = None, model: str = ""
) -> float:
    """Returns pixels per second of all live workers together, or of as many of their slots as there are segments.

    ``rates`` are those of ``model``, by `WorkerState.runtime`. While no live worker has one that was measured, the
    best rate of any counts, so that a restart does not forget. Returns 0 if nothing was measured.
    """
    found = [(worker.slots, worker.runtime(model)) for worker in alive]
    slots = [rates[runtime] for count, runtime in found if runtime in rates for _ in range(count)]
    return sum(sorted(slots, reverse=True)[:segments]) or max(rates.values(), default=0.0)
