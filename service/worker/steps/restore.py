"""The steps ``segment:<index>``: each restores one segment."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from service.artifacts.curve import Curve
from service.artifacts.heat_maps import write_pictures
from service.artifacts.segment_findings import write_findings
from service.errors.broker import BrokerUnavailable
from service.fidelity import require_lossless
from service.inference.looks import SeveralLooks
from service.jobs.job import Job
from service.jobs.queue import JobQueue
from service.jobs.reader import JobReader
from service.jobs.step_leases import StepLeases
from service.jobs.step_names import FINISH, segment_step
from service.pipeline.segment import SegmentRequest, SegmentResult, restore_segment
from service.storage.store import SOURCE, Storage, curve_name, findings_name, heat_maps_name, piece_name
from service.types import Segment
from service.worker.engines import EngineCache
from service.worker.memory.planner import MemoryPlanner, Windows
from service.worker.right_of_way import GivingWay, RightOfWay
from service.worker.steps.newest_frame import NewestFrameShow
from service.worker.steps.progress_meter import ProgressListeners, ProgressMeter
from service.worker.steps.source import source_needed
from service.worker.throughput_recorder import ThroughputRecorder
from service.worker.watchdog import Touch


@dataclass(frozen=True)
class RestoreStep:
    """Restores segments. Doing it twice does no harm."""

    jobs: JobReader
    leases: StepLeases
    queue: JobQueue
    storage: Storage
    engines: EngineCache
    recorder: ThroughputRecorder
    memory: MemoryPlanner
    way: RightOfWay
    stopping: threading.Event
    """Set when the worker is to stop; the segment then ends at the next window."""

    def run(self, job: Job, index: int, touch: Touch) -> None:
        """Restores a segment, unless its piece was published by a worker that died right after.

        Raises SourceMissing, JobCanceled if the job or the worker stops meanwhile, and FidelityLost if a strict job
        lost something.
        """
        segment = job.plan[index]
        placement = plan = None
        if self.storage.find(job.id, piece_name(segment)) is None:
            plan = self.memory.run(
                job,
                touch,
                lambda: self._should_stop(job.id),
                lambda how: self._restore(job, segment, how, touch),
            )
            placement = self.engines.placement(job.spec.model)
        if self.leases.complete(job.id, segment_step(index), segment.frames, placement, plan):
            self.queue.enqueue(job.id, FINISH)

    def _restore(self, job: Job, segment: Segment, how: Windows, touch: Touch) -> None:
        with (
            source_needed(self.storage, job.id),
            self.storage.reading(job.id, SOURCE) as source,
            self.storage.writing(job.id, piece_name(segment)) as target,
        ):
            engine = how.engine(self.engines)
            touch()
            in_turn = self.engines.on_processor(job.spec.model, how.tile)
            giving_way = GivingWay(engine, self.way, job.id, touch, in_turn=in_turn)
            looking = SeveralLooks(giving_way, job.spec.looks, touch)
            request = SegmentRequest(
                source=source,
                target=target,
                segment=segment,
                encode=job.spec.options,
                window=how.frames,
                in_flight=how.in_flight,
                lean=how.lean,
                excerpt=job.spec.video.excerpt,
            )
            show = NewestFrameShow(self.storage, job).show
            listeners = ProgressListeners(self.leases, self.recorder, touch, show)
            meter = ProgressMeter(listeners, job, segment_step(segment.index), lambda: giving_way.waited_s)

            def should_stop() -> bool:
                if how.lean:
                    touch()  # asked before every tile: a window of them can take longer than a worker may hang
                return self._should_stop(job.id)

            result = restore_segment(request, looking, meter.advance, should_stop)
            self._write_sharpness(job, segment, result)
            with self.storage.writing(job.id, findings_name(segment)) as file:
                write_findings(file, result.findings)
            if job.spec.strict:
                require_lossless(result.findings)

    def _write_sharpness(self, job: Job, segment: Segment, result: SegmentResult) -> None:
        """Writes curve and heat maps, before the piece is published: where there is a piece, they are complete."""
        curve = Curve(
            segment.start, result.sharpness_before, result.sharpness_after, result.prior, result.cuts
        )
        with self.storage.writing(job.id, curve_name(segment)) as file:
            file.write_text(curve.to_json(), "utf-8")
        with self.storage.writing(job.id, heat_maps_name(segment)) as file:
            write_pictures(file, segment.start, result.heat_maps)

    def _should_stop(self, job_id: str) -> bool:
        if self.stopping.is_set():
            return True
        try:
            return not self.jobs.is_running(job_id)
        except BrokerUnavailable:
            return False  # Redis may be back before the segment is done.
