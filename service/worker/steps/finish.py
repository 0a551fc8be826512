"""The step ``finish``: joins the restored segments and publishes the result."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from service.artifacts.curve import merged, read_curve
from service.artifacts.heat_maps import merge_pictures
from service.artifacts.segment_findings import read_findings, read_reported
from service.errors.pipeline import PipelineError
from service.fidelity import require_lossless
from service.jobs.job import Job, Output
from service.jobs.step_leases import StepLeases
from service.jobs.step_names import FINISH, segment_step
from service.jobs.store import RedisJobStore
from service.pipeline.finalize import finalize
from service.pipeline.report import FinalReport
from service.storage.store import (
    CURVE,
    HEAT_MAPS,
    REPORT,
    SOURCE,
    Storage,
    curve_name,
    findings_name,
    heat_maps_name,
    piece_name,
    result_name,
)
from service.types import Engine, Segment
from service.window_limits import WindowLimits
from service.worker.engines import EngineCache
from service.worker.steps.source import require_source
from service.worker.throughput_recorder import ThroughputRecorder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinishStep:
    """Finishes jobs. Doing it twice does no harm."""

    store: RedisJobStore
    leases: StepLeases
    storage: Storage
    engines: EngineCache
    recorder: ThroughputRecorder
    limits: WindowLimits
    engine: Engine = "onnx"

    def run(self, job: Job) -> None:
        """Joins the pieces, writes the report and the sharpness files, and publishes the result.

        Raises SourceMissing, PipelineError for pieces that cannot be joined, and FidelityLost for a strict job that
        lost something.
        """
        try:
            output = self._publish(job)
        except FileNotFoundError as error:
            output = self._published(job, error)
        if self.store.succeed(job.id, output):
            self.recorder.result(job, output)
            self.storage.drop_pieces(job.id)
        self.leases.drop(job.id, FINISH)

    def _publish(self, job: Job) -> Output:
        output, report = self._join(job)
        self._write_report(job, output, json.loads(report.to_json()))
        self._join_sharpness(job)
        return output

    def _published(self, job: Job, missing: FileNotFoundError) -> Output:
        """Returns the result of a job whose pieces were dropped: it had succeeded, and Redis lost that in a crash.

        Raises SourceMissing or PipelineError where there is none.
        """
        spec = job.spec
        try:
            with (
                self.storage.reading(job.id, REPORT) as report,
                self.storage.reading(job.id, result_name(spec.options.container)) as result,
            ):
                findings, (digest, size) = read_reported(report), _digest(result)
        except FileNotFoundError:
            log.error("A file of the job is missing: %s", missing)
            require_source(self.storage, job.id)
            raise PipelineError("A restored segment of the job is missing.") from missing
        options = spec.options
        return Output(size, digest, options.container, options.codec, spec.video.frames, findings=findings)

    def _join(self, job: Job) -> tuple[Output, FinalReport]:
        spec = job.spec
        container = spec.options.container
        with ExitStack() as stack:
            source = stack.enter_context(self.storage.reading(job.id, SOURCE))
            names = [piece_name(segment) for segment in job.plan]
            pieces = [stack.enter_context(self.storage.reading(job.id, name)) for name in names]
            target = stack.enter_context(self.storage.writing(job.id, result_name(container)))
            found = [one for file in self._read_all(stack, job, findings_name) for one in read_findings(file)]
            report = finalize(source, pieces, target, spec.video, spec.options, findings=found)
            if spec.strict:
                require_lossless(report.findings)
            digest, size = _digest(target)
        frames, findings = report.frames_out, report.findings
        return Output(size, digest, container, spec.options.codec, frames, findings=findings), report

    def _join_sharpness(self, job: Job) -> None:
        """Joins curves and heat maps, as far as there are any: pieces of an older version lack them."""
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

    def _write_report(self, job: Job, output: Output, report: dict[str, object]) -> None:
        made_with = {
            "name": job.spec.model,
            "sha256": self.engines.digest(job.spec.model),
            "looks": job.spec.looks,
        }
        workers, devices = self.leases.finished_by(job.id), self.leases.restored_on(job.id)
        plans = self.leases.restored_by(job.id)
        ran_on = sorted({line for _, line in devices.values()})
        segments = []
        for segment in job.plan:
            step = segment_step(segment.index)
            device, _ = devices.get(step, (None, ""))
            made = {"worker": workers.get(step), "device": device, "memory_plan": plans.get(step)}
            segments.append({**asdict(segment), **made})
        memory = [{**asdict(plan), "manner": plan.manner} for plan in job.memory_plans]
        told = {"job": job.id, "model": made_with, "ran_on": ran_on, **report, **self._recipe(job, output)}
        text = json.dumps({**told, "memory_plans": memory, "segments": segments}, indent=2)
        with self.storage.writing(job.id, REPORT) as file:
            file.write_text(text, "utf-8")

    def _recipe(self, job: Job, output: Output) -> dict[str, object]:
        """Returns what `cdvd replay` needs beside model, options and segments."""
        video = job.spec.video
        if job.memory_plans:
            window = job.memory_plans[-1].window
        else:
            memory = self.engines.card(job.spec.model).memory
            window = self.limits.window_frames(video.width * video.height, memory)
        return {
            "source": asdict(job.spec.source),
            "result": {"bytes": output.bytes, "sha256": output.sha256},
            "excerpt": asdict(video.excerpt) if video.excerpt else None,
            "window_frames": window,
            "engine": self.engine,
        }


def _digest(path: Path) -> tuple[str, int]:
    """Returns the SHA-256 of a file, in hex, and its size in bytes."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except OSError as error:
        raise PipelineError(f"The result cannot be read back: {error.strerror}.") from error
