"""Plans the memory of a video before it is a job, for the workers that are alive."""

from __future__ import annotations

from collections.abc import Iterable

from service.errors.submission import NeedsMoreMemory
from service.estimates.workload import Workload
from service.jobs.workers import WorkerState
from service.memory.plan import Demand, MemoryPlan, best_plan, wanting
from service.model_catalog import ModelCard
from service.window_limits import WindowLimits


def plan_memory(
    video: Workload, card: ModelCard, limits: WindowLimits, alive: Iterable[WorkerState]
) -> MemoryPlan | None:
    """Returns the plan that fits the worker with the least memory: any may get a segment.

    None where nothing is known: no worker is alive, none restores windows itself, or the model states no memory.
    Raises NeedsMoreMemory where no plan fits.
    """
    memory = min((worker.memory for worker in alive if worker.memory is not None), default=None)
    if memory is None or card.memory is None:
        return None
    demand = Demand(
        video.width, video.height, video.frames, video.looks, card.memory, card.tiles, video.coding
    )
    plan = best_plan(demand, limits, memory)
    if plan is None:
        raise NeedsMoreMemory(wanting(demand, limits, memory))
    return plan
