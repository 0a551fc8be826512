"""``cdvd replay`` of a job whose memory ran out in its midst: each segment is restored as it was then."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest

from service.cli.actions.replay import Replay, replay
from service.cli.exits import Exit
from service.config import Settings
from service.errors.pipeline import PipelineError
from service.memory.plan import MemoryPlan
from service.pipeline.finalize import finalize
from service.pipeline.segment import SegmentRequest, restore_segment
from service.types import EncodeOptions, Segment
from service.video.sandbox.probe import ProbeLimits, probe
from service.worker.engine_loader import engine_loader, parts_loader
from service.worker.engines import EngineCache
from service.worker.memory.planner import Windows
from tests.support.clips import Clip, write_clip

pytestmark = pytest.mark.integration

MODEL, OPTIONS = "cdvd_lite", EncodeOptions()
PLANS = (MemoryPlan(4, 1, None, 2), MemoryPlan(1, 1, 768, 1))
"""Whole frames, and tiles, which change a few values."""
SEGMENTS = (Segment(0, 0, 4), Segment(1, 4, 6))
SETTINGS = Settings(engine="onnx", device="cpu")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", Clip(frames=6))


@pytest.fixture
def engines() -> Iterator[EngineCache]:
    with closing(EngineCache(SETTINGS.models, engine_loader(SETTINGS), parts_loader(SETTINGS))) as cache:
        yield cache


def restored_by_both_plans(source: Path, engines: EngineCache) -> dict[str, object]:
    """Does what a worker does that ran out of memory after the first segment; returns the report's recipe."""
    limits = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=100)
    info, pieces = asyncio.run(probe(source, limits)), []
    for segment, plan in zip(SEGMENTS, PLANS, strict=True):
        pieces.append(source.with_name(f"{segment.index}.piece"))
        how = Windows(MODEL, plan.window, plan.in_flight, plan)
        request = SegmentRequest(source, pieces[-1], segment, OPTIONS, plan.window, lean=how.lean)
        restore_segment(request, how.engine(engines), lambda *_: None, lambda: False)
    finalize(source, pieces, source.with_name("result.mp4"), info, OPTIONS)
    return {
        "model": {"name": MODEL, "sha256": engines.digest(MODEL), "looks": 1},
        "options": asdict(OPTIONS),
        "excerpt": None,
        "segments": [{**asdict(segment), "memory_plan": segment.index} for segment in SEGMENTS],
        "window_frames": PLANS[-1].window,
        "source": digest(source),
        "result": digest(source.with_name("result.mp4")),
        "engine": "onnx",
        "memory_plans": [{**asdict(plan), "manner": plan.manner} for plan in PLANS],
    }


def digest(path: Path) -> dict[str, object]:
    return {"bytes": path.stat().st_size, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def replayed(source: Path, recipe: dict[str, object]) -> Exit:
    report = source.with_name("report.json")
    report.write_text(json.dumps(recipe))
    return replay(Replay(report, source, source.with_name("again.mp4")), lambda *_: None)


def test_each_segment_is_restored_by_its_own_plan(source: Path, engines: EngineCache) -> None:
    recipe = restored_by_both_plans(source, engines)
    assert replayed(source, recipe) is Exit.OK

    by_the_last = {**recipe, "segments": [asdict(segment) for segment in SEGMENTS]}
    assert replayed(source, by_the_last) is Exit.FAILED

    with pytest.raises(PipelineError, match="lacks the plan 7, which segment 0 names"):
        replayed(source, {**recipe, "segments": [{**asdict(SEGMENTS[0]), "memory_plan": 7}]})
