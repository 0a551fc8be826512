"""Makes a result again from its report, in this process: the same bytes from the same video and model."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from service.cli.exits import Exit
from service.cli.output.lines import complain, say, say_json
from service.cli.output.units import data_size
from service.config import Settings
from service.errors.pipeline import PipelineError
from service.findings import Finding
from service.inference.looks import SeveralLooks
from service.pipeline.finalize import finalize
from service.pipeline.recipe import Recipe, RestoredSegment, read_recipe
from service.pipeline.segment import NewestFrame, SegmentRequest, restore_segment
from service.video.sandbox.probe import ProbeLimits, probe
from service.worker.engine_loader import engine_loader, parts_loader
from service.worker.engines import EngineCache
from service.worker.memory.planner import Windows


@dataclass(frozen=True)
class Replay:
    """Which result is made again, from what, and where it goes."""

    report: Path
    source: Path
    output: Path
    models: Path | None = None
    scratch: str = field(default_factory=lambda: f"cdvd-{uuid.uuid4().hex}-")
    """How the name of the folder of its pieces begins."""

    @property
    def part(self) -> Path:
        """Where the result is until it is whole."""
        return self.output.with_name(f".{self.output.name}.part")

    def tidy(self) -> None:
        """Removes what is left where it is interrupted."""
        self.part.unlink(missing_ok=True)
        for folder in Path(tempfile.gettempdir()).glob(f"{self.scratch}*"):
            shutil.rmtree(folder, ignore_errors=True)


def replay(asked: Replay, on_progress: Callable[[int, int], None]) -> Exit:
    """Makes the result and compares its bytes with those of the report: OK for the same, FAILED for others.

    ``on_progress`` gets frames done and frames in all. Raises PipelineError where video or model are others.
    """
    recipe = read_recipe(asked.report)
    if _sha256(asked.source) != recipe.source.sha256:
        raise PipelineError("This is not the video of the report: its bytes are others.")
    settings = Settings() if asked.models is None else Settings(models=asked.models)
    if "engine" not in settings.model_fields_set:
        settings = settings.model_copy(update={"engine": recipe.engine})
    with closing(EngineCache(settings.models, engine_loader(settings), parts_loader(settings))) as engines:
        if engines.digest(recipe.model.name) != recipe.model.sha256:
            raise PipelineError(
                f"The model {recipe.model.name} of the report had another graph than the one here."
            )
        _restore(recipe, asked, engines, settings, on_progress)
    return Exit.OK if _sha256(asked.output) == recipe.result.sha256 else Exit.FAILED


def print_replayed(output: Path, code: Exit, *, as_json: bool) -> None:
    """Prints where the result is, and whether its bytes are those of the report."""
    same = code is Exit.OK
    if as_json:
        say_json({"output": str(output), "sha256": _sha256(output), "same_bytes": same})
    else:
        told = "the bytes of the report" if same else "not the bytes of the report"
        say(f"Wrote {output}: {data_size(output.stat().st_size)}, {told}.")
    if not same:
        complain("The result has other bytes: versions, device or precision are not those of the report.")


def _restore(
    recipe: Recipe,
    asked: Replay,
    engines: EngineCache,
    settings: Settings,
    on_progress: Callable[[int, int], None],
) -> None:
    limits = ProbeLimits(
        max_pixels=settings.max_frame_pixels,
        max_duration_s=settings.max_duration_s,
        max_frames=settings.max_frames,
        timeout_s=settings.probe_timeout_s,
    )
    info = asyncio.run(probe(asked.source, limits, recipe.excerpt))
    pieces, found = [], list[Finding]()
    with tempfile.TemporaryDirectory(prefix=asked.scratch) as folder:
        for segment in recipe.segments:
            pieces.append(Path(folder) / f"{segment.index}.piece")
            progress = partial(_report_progress, on_progress, segment.start, info.frames)
            found += _restore_piece(recipe, segment, asked.source, pieces[-1], engines, progress)
        try:
            finalize(asked.source, pieces, asked.part, info, recipe.options, findings=found)
            asked.part.replace(asked.output)
        finally:
            asked.part.unlink(missing_ok=True)


def _restore_piece(
    recipe: Recipe,
    segment: RestoredSegment,
    source: Path,
    piece: Path,
    engines: EngineCache,
    on_progress: Callable[[int, NewestFrame], None],
) -> tuple[Finding, ...]:
    """Restores a segment by its own plan: memory may have run out in the midst of the job."""
    plan = recipe.plan_of(segment)
    frames = plan.window if plan else recipe.window_frames
    windows = Windows(recipe.model.name, frames, 1, plan)
    engine = SeveralLooks(windows.engine(engines), recipe.model.looks, lambda: None)
    request = SegmentRequest(
        source, piece, segment, recipe.options, frames, lean=windows.lean, excerpt=recipe.excerpt
    )
    return restore_segment(request, engine, on_progress, lambda: False).findings


def _report_progress(
    on_progress: Callable[[int, int], None], before: int, total: int, done: int, _newest: NewestFrame
) -> None:
    on_progress(before + done, total)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
