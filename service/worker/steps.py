"""What is done in the steps of a job. Each may be done twice without harm."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from service.artifacts.curve import Curve, merged, read_curve
from service.artifacts.heat_maps import merge_pictures, write_pictures
from service.errors.broker import BrokerUnavailable
from service.errors.pipeline import FidelityLost, PipelineError
from service.jobs.job import Job, Output
from service.jobs.queue import JobQueue
from service.jobs.step_leases import StepLeases
from service.jobs.step_names import FINISH, segment_step
from service.jobs.store import RedisJobStore
from service.pipeline.finalize import finalize, foreseen_losses
from service.pipeline.report import FinalReport
from service.pipeline.segment import SegmentRequest, SegmentResult, restore_segment
from service.pipeline.segments import plan_segments
from service.storage.store import (
    CURVE,
    HEAT_MAPS,
    REPORT,
    SOURCE,
    Storage,
    curve_name,
    heat_maps_name,
    piece_name,
    result_name,
)
from service.types import Segment
from service.window_limits import WindowLimits
from service.worker.engines import EngineCache
from service.worker.keeper import Keeper
from service.worker.measured import Measured
from service.worker.runner import Touch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Steps:
    """The work of ``plan``, ``segment:<index>`` and ``finish``."""

    store: RedisJobStore
    leases: StepLeases
    queue: JobQueue
    storage: Storage
    engines: EngineCache
    keeper: Keeper
    limits: WindowLimits
    measured: Measured

    def plan(self, job: Job) -> None:
        """Cut the video into segments and queue them. A strict job that is bound to lose something ends here."""
        if job.spec.strict:
            with self.storage.reading(job.id, SOURCE) as source:
                _refuse(foreseen_losses(source, job.spec.video))
        segments = plan_segments(job.spec.video.frames, self.limits.segment_frames)
        if self.leases.set_plan(job.id, segments):
            for segment in segments:
                self.queue.enqueue(job.id, segment_step(segment.index))

    def segment(self, job: Job, index: int, touch: Touch) -> None:
        """Restore a segment, unless its piece was published by a worker that died right after."""
        segment = job.plan[index]
        if self.storage.find(job.id, piece_name(segment)) is None:
            self._restore(job, segment, touch)
        if self.leases.complete(job.id, segment_step(index), segment.frames):
            self.queue.enqueue(job.id, FINISH)

    def finish(self, job: Job) -> None:
        """Join the pieces, write the report, publish the result."""
        try:
            output, report = self._join(job)
        except FileNotFoundError as error:
            raise PipelineError(f"A file of the job is missing: {error}") from error
        self._write_report(job, json.loads(report.to_json()))
        self._join_measured(job)
        if self.store.succeed(job.id, output):
            self.measured.result(job, output)
            self.storage.drop_pieces(job.id)
        self.leases.drop(job.id, FINISH)

    def _join(self, job: Job) -> tuple[Output, FinalReport]:
        spec = job.spec
        container = spec.options.container
        with ExitStack() as stack:
            source = stack.enter_context(self.storage.reading(job.id, SOURCE))
            names = [piece_name(segment) for segment in job.plan]
            pieces = [stack.enter_context(self.storage.reading(job.id, name)) for name in names]
            target = stack.enter_context(self.storage.writing(job.id, result_name(container)))
            report = finalize(source, pieces, target, spec.video, spec.options)
            if spec.strict:
                _refuse(report.losses)
            digest, size = _digest(target)
        return Output(size, digest, container, spec.options.codec, report.frames_out), report

    def _restore(self, job: Job, segment: Segment, touch: Touch) -> None:
        with (
            self.storage.reading(job.id, SOURCE) as source,
            self.storage.writing(job.id, piece_name(segment)) as target,
        ):
            result = self._restore_into(target, source, job, segment, touch)
            self._keep_measured(job, segment, result)

    def _restore_into(
        self, target: Path, source: Path, job: Job, segment: Segment, touch: Touch
    ) -> SegmentResult:
        engine, video = self.engines.get(job.spec.model), job.spec.video
        touch()
        request = SegmentRequest(
            source=source,
            target=target,
            segment=segment,
            encode=job.spec.options,
            window=self.limits.window_frames(video.width * video.height, self.engines.memory(job.spec.model)),
            in_flight=self.limits.in_flight,
            excerpt=video.excerpt,
        )
        meter = _Meter(self.leases, self.measured, job, segment_step(segment.index), touch)
        return restore_segment(request, engine, meter.advance, lambda: self._should_stop(job.id))

    def _keep_measured(self, job: Job, segment: Segment, result: SegmentResult) -> None:
        """Before the piece is published: where there is a piece, there are its curve and its heat maps."""
        curve = Curve(segment.start, result.sharpness_before, result.sharpness_after, result.prior)
        with self.storage.writing(job.id, curve_name(segment)) as file:
            file.write_text(curve.to_json(), "utf-8")
        with self.storage.writing(job.id, heat_maps_name(segment)) as file:
            write_pictures(file, segment.start, result.heat_maps)

    def _join_measured(self, job: Job) -> None:
        """Pieces of an older version have less, and nobody's video fails for a curve."""
        with ExitStack() as stack:
            curves = [read_curve(file) for file in self._read_all(stack, job, curve_name)]
            with self.storage.writing(job.id, CURVE) as file:
                file.write_text(merged(curves, job.spec.video.frames).to_json(), "utf-8")
            parts = self._read_all(stack, job, heat_maps_name)
            with self.storage.writing(job.id, HEAT_MAPS) as file:
                merge_pictures(file, parts)

    def _read_all(self, stack: ExitStack, job: Job, name_of: Callable[[Segment], str]) -> list[Path]:
        found = []
        for segment in job.plan:
            with suppress(FileNotFoundError):
                found.append(stack.enter_context(self.storage.reading(job.id, name_of(segment))))
        return found

    def _should_stop(self, job_id: str) -> bool:
        if self.keeper.stopping.is_set():
            return True
        try:
            return not self.store.is_running(job_id)
        except BrokerUnavailable:
            return False  # Redis may be back before the segment is done

    def _write_report(self, job: Job, report: dict[str, object]) -> None:
        made_with = {"name": job.spec.model, "sha256": self.engines.digest(job.spec.model)}
        workers = self.leases.finished_by(job.id)
        segments = [
            {**asdict(segment), "worker": workers.get(segment_step(segment.index))} for segment in job.plan
        ]
        text = json.dumps({"job": job.id, "model": made_with, **report, "segments": segments}, indent=2)
        with self.storage.writing(job.id, REPORT) as file:
            file.write_text(text, "utf-8")


class _Meter:
    """Passes progress on, with the time it took."""

    def __init__(self, leases: StepLeases, measured: Measured, job: Job, step: str, touch: Touch) -> None:
        self._leases = leases
        self._measured = measured
        self._job = job
        self._step = step
        self._touch = touch
        self._frames = 0
        self._since = time.monotonic()

    def advance(self, frames: int) -> None:
        now = time.monotonic()
        new, seconds = frames - self._frames, now - self._since
        self._frames, self._since = frames, now
        self._touch()
        self._measured.window(self._job, new, seconds)
        try:
            self._leases.progress(self._job.id, self._step, frames, new, seconds)
        except BrokerUnavailable as error:
            log.warning("progress is not shown: %s", error, extra={"job": self._job.id, "step": self._step})


def _refuse(losses: tuple[str, ...]) -> None:
    if losses:
        raise FidelityLost(f"the result would not hold everything: {'; '.join(losses)}")


def _digest(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except OSError as error:
        raise PipelineError(f"the result cannot be read back: {error}") from error
