"""Finishes a video: joins the pieces, brings back the sound, and proves that nothing is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av

from service.errors.pipeline import PipelineError
from service.errors.video import VideoError
from service.findings import Finding, merged
from service.metrics import STAGE_SECONDS
from service.pipeline.comparison.copies import compare_copies, copy_findings, sound_findings
from service.pipeline.comparison.times import largest_error, time_findings
from service.pipeline.report import FinalReport, Versions
from service.text import plural
from service.types import EncodeOptions, VideoInfo
from service.video.findings.foresee import foresee
from service.video.join import JoinSummary, join
from service.video.source import Source, load_source
from service.video.tracks.copying import read_copies

TIMESTAMP_TOLERANCE_S = 0.001
"""Times are exact, except for sources with ticks too fine for MP4; more than this is a mistake, not rounding."""


def finalize(  # noqa: PLR0913  # what a result is made of
    source: Path,
    pieces: Sequence[Path],
    target: Path,
    info: VideoInfo,
    options: EncodeOptions,
    frames: int | None = None,
    findings: Iterable[Finding] = (),
) -> FinalReport:
    """Joins ``pieces`` (in order) into ``target``, compares it with ``source`` and returns the report.

    ``frames``: how many the pieces hold if they are only the beginning of the video; None is all.
    ``findings``: what was found while the pieces were restored.
    The caller publishes or removes ``target``; running this again gives the same file.
    Raises PipelineError when pieces are missing, do not fit, or the result would not match the source.
    """
    absent = [piece.name for piece in pieces if not piece.is_file()]
    if absent or not pieces:
        raise PipelineError(f"Pieces are missing: {', '.join(absent) or 'there are none'}.")
    try:
        original = load_source(source, info.excerpt)
        _check_unchanged(original, info)
        with STAGE_SECONDS.labels("join").time():
            joined = join(original, pieces, target, options, frames)
            report = _verify(original, target, joined, len(pieces), options, frames or info.frames)
            return replace(report, findings=merged((*report.findings, *findings)))
    except VideoError as error:
        raise PipelineError(f"The source or the result cannot be read: {error}") from error


def _check_unchanged(source: Source, info: VideoInfo) -> None:
    if source.index.frames != info.frames:
        raise PipelineError(
            f"The video had {plural(info.frames, 'frame')} when it came in and has {source.index.frames} now."
        )


def _verify(
    source: Source, target: Path, joined: JoinSummary, pieces: int, options: EncodeOptions, frames: int
) -> FinalReport:
    result = load_source(target)
    if result.index.frames != frames:
        raise PipelineError(
            f"The result has {plural(result.index.frames, 'frame')} where {frames} were restored."
        )
    error = largest_error(source, result)
    if error > TIMESTAMP_TOLERANCE_S:
        raise PipelineError(f"A frame of the result is {error:.4f} s away from its time in the source.")
    copies = compare_copies(joined.copied, read_copies(target))
    return FinalReport(
        frames_in=source.index.frames,
        frames_out=result.index.frames,
        largest_timestamp_error_s=error,
        timestamp_shift_s=float(source.index.origin * source.index.time_base),
        color_in=source.picture.color,
        color_out=result.picture.color,
        bit_depth_in=source.picture.bit_depth,
        bit_depth_out=result.picture.bit_depth,
        rotation_in=source.picture.rotation,
        rotation_out=result.picture.rotation,
        copies=copies,
        findings=(
            *time_findings(result.index.frames, error),
            *foresee(source.path, source.index, source.picture, options),
            *copy_findings(copies),
            *sound_findings(joined.coded, target),
        ),
        pieces=pieces,
        bytes=target.stat().st_size,
        codec=options.codec,
        options=options,
        versions=Versions(_service_version(), str(av.ffmpeg_version_info), av.__version__),
    )


@cache
def _service_version() -> str:
    """Returns the version of this process, which it looks up in every directory of the path."""
    try:
        return version("cdvd")
    except PackageNotFoundError:
        return "unknown"
