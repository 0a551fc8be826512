"""The step ``plan``: cuts the video into segments."""

from __future__ import annotations

from dataclasses import dataclass

from service.jobs.job import Job
from service.jobs.queue import JobQueue
from service.jobs.step_leases import StepLeases
from service.jobs.step_names import segment_step
from service.pipeline.segments import plan_segments
from service.worker.memory.planner import MemoryPlanner


@dataclass(frozen=True)
class PlanStep:
    """Plans jobs. Doing it twice does no harm."""

    leases: StepLeases
    queue: JobQueue
    segment_frames: int
    memory: MemoryPlanner

    def run(self, job: Job) -> None:
        """Fixes how windows are restored, cuts the video into segments and queues them. Raises NeedsMoreMemory."""
        self.memory.fix(job)
        segments = plan_segments(job.spec.video.frames, self.segment_frames)
        if self.leases.set_plan(job.id, segments):
            for segment in segments:
                self.queue.enqueue(job.id, segment_step(segment.index))
