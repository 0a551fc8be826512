"""Fixes how the windows of a job are restored, and goes over to smaller parts where memory runs out all the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from service.encoding.choice import pixels_of
from service.errors.engine import OutOfMemory
from service.errors.submission import NeedsMoreMemory
from service.inference.engine import DeblurEngine
from service.jobs.job import Job
from service.jobs.step_leases import StepLeases
from service.jobs.workers import WorkerRegistry
from service.memory.coding import coding
from service.memory.plan import Demand, MemoryPlan, best_plan, smaller_plan, wanting
from service.window_limits import WindowLimits
from service.worker.engines import EngineCache
from service.worker.memory.gate import MemoryGate
from service.worker.memory.shortage import is_shortage
from service.worker.watchdog import Touch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Windows:
    """How a segment is restored: the length of windows, how many at a time, and by what."""

    model: str
    frames: int
    in_flight: int
    plan: MemoryPlan | None = None

    @property
    def tile(self) -> int | None:
        """Most pixels of a tile's side; None restores whole frames."""
        return None if self.plan is None else self.plan.tile

    @property
    def lean(self) -> bool:
        """Whether the pictures are so big that nothing is to be held twice."""
        return self.tile is not None

    def engine(self, engines: EngineCache) -> DeblurEngine:
        """Returns what restores the windows; raises as the methods of EngineCache do."""
        return engines.get(self.model) if self.tile is None else engines.tiled(self.model, self.tile)


class MemoryPlanner:
    """Plans jobs within the memory of the workers. Raises BrokerUnavailable beside what is named."""

    def __init__(
        self,
        leases: StepLeases,
        engines: EngineCache,
        workers: WorkerRegistry,
        limits: WindowLimits,
        memory: int | None,
    ) -> None:
        """``memory``: bytes that this worker may take; None where others restore windows, or nobody knows."""
        self._leases = leases
        self._engines = engines
        self._workers = workers
        self._limits = limits
        self._memory = memory
        self._gate = MemoryGate(memory)

    def fix(self, job: Job) -> tuple[MemoryPlan, ...]:
        """Plans a job once and for all, for the live worker with the least memory: any may get its segments.

        Returns its plans, none where memory does not decide. Raises NeedsMoreMemory.
        """
        demand = self._demand(job)
        if job.memory_plans or demand is None or self._memory is None or self._engines.accelerated:
            return job.memory_plans
        memory = min([self._memory, *(one.memory for one in self._workers.alive() if one.memory)])
        plan = best_plan(demand, self._limits, memory)
        if plan is None:
            raise NeedsMoreMemory(wanting(demand, self._limits, memory))
        return self._leases.add_memory_plan(job.id, (), plan)

    def run(
        self, job: Job, touch: Touch, should_stop: Callable[[], bool], restore: Callable[[Windows], None]
    ) -> int | None:
        """Has ``restore`` do a segment by the plan of its job, with as much memory; by smaller plans if it runs out.

        Returns the place of the plan that did among those of the job; None where memory does not decide. Raises
        OutOfMemory when there is no smaller plan, JobCanceled, and what ``restore`` raises.
        """
        plans = self.fix(job)
        if not plans:
            restore(self._unplanned(job))
            return None
        while True:
            plan = plans[-1]
            try:
                with self._gate.lent(plan.bytes, touch, should_stop):
                    restore(Windows(job.spec.model, plan.window, plan.in_flight, plan))
                return len(plans) - 1
            except Exception as error:
                if not is_shortage(error):
                    raise
                plans = self._smaller(job, plans, error)

    def _smaller(self, job: Job, plans: tuple[MemoryPlan, ...], error: Exception) -> tuple[MemoryPlan, ...]:
        demand = self._demand(job)
        smaller = smaller_plan(demand, self._limits, plans[-1]) if demand else None
        if smaller is None:
            raise OutOfMemory(
                f"No smaller parts are left that memory could be enough for: {error}"
            ) from error
        log.warning("Out of memory; goes on with %s: %s", smaller.manner, error, extra={"job": job.id})
        return self._leases.add_memory_plan(job.id, plans, smaller)

    def _unplanned(self, job: Job) -> Windows:
        video = job.spec.video
        frames = self._limits.window_frames(
            video.width * video.height, self._engines.card(job.spec.model).memory
        )
        return Windows(job.spec.model, frames, self._limits.in_flight)

    def _demand(self, job: Job) -> Demand | None:
        """Returns None for a model that does not say what it needs."""
        card, video = self._engines.card(job.spec.model), job.spec.video
        if card.memory is None:
            return None
        how = coding(job.spec.options, pixels_of(video))
        return Demand(video.width, video.height, video.frames, job.spec.looks, card.memory, card.tiles, how)
