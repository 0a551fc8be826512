"""The step ``plan``: cuts the video into segments."""

from __future__ import annotations

from dataclasses import dataclass

from service.jobs.job import Job
from service.jobs.queue import JobQueue
from service.jobs.step_leases import StepLeases
from service.jobs.step_names import segment_step
from service.pipeline.finalize import foreseen_losses
from service.pipeline.segments import plan_segments
from service.storage.store import SOURCE, Storage
from service.worker.steps.fidelity import require_lossless


@dataclass(frozen=True)
class PlanStep:
    """Plans jobs. Doing it twice does no harm."""

    leases: StepLeases
    queue: JobQueue
    storage: Storage
    segment_frames: int

    def run(self, job: Job) -> None:
        """Cuts the video into segments and queues them.

        Raises FidelityLost for a strict job whose result is bound to lose something.
        """
        if job.spec.strict:
            with self.storage.reading(job.id, SOURCE) as source:
                require_lossless(foreseen_losses(source, job.spec.video))
        segments = plan_segments(job.spec.video.frames, self.segment_frames)
        if self.leases.set_plan(job.id, segments):
            for segment in segments:
                self.queue.enqueue(job.id, segment_step(segment.index))
