"""A video's whole way through probe, segments and join, without a service around it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from service.findings import Finding
from service.inference.engine import DeblurEngine
from service.options import JobOptions
from service.pipeline.finalize import finalize
from service.pipeline.report import FinalReport
from service.pipeline.segment import SegmentRequest, restore_segment
from service.pipeline.segments import plan_segments
from service.types import EncodeOptions, VideoInfo
from service.video.sandbox.probe import ProbeLimits, probe
from tests.support.fake_engines import IdentityEngine

LIMITS = ProbeLimits(max_pixels=1 << 20, max_duration_s=60, max_frames=1000)
SEGMENT_FRAMES = 5


@dataclass(frozen=True)
class Restored:
    """What became of a video."""

    info: VideoInfo
    options: EncodeOptions
    pieces: tuple[Path, ...]
    path: Path
    report: FinalReport


def restored(source: Path, engine: DeblurEngine | None = None, /, **fields: str) -> Restored:
    """Restores a video beside itself, with the options ``fields`` of a form."""
    asked = JobOptions.from_text(fields)
    info = asyncio.run(probe(source, LIMITS, asked.excerpt, asked.asked))
    options = asked.encode(info)
    pieces, found = [], list[Finding]()
    for segment in plan_segments(info.frames, SEGMENT_FRAMES):
        pieces.append(source.with_name(f"{source.name}-piece-{segment.index}"))
        request = SegmentRequest(source, pieces[-1], segment, options, window=3, excerpt=info.excerpt)
        result = restore_segment(request, engine or IdentityEngine(), lambda *_: None, lambda: False)
        found += result.findings
    target = source.with_name(f"{source.stem}_result.{options.container}")
    report = finalize(source, pieces, target, info, options, findings=found)
    return Restored(info, options, tuple(pieces), target, report)
