"""Finishes a video: joins the pieces, brings back the sound, and proves that nothing is missing."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av

from service.errors.pipeline import PipelineError
from service.errors.video import VideoError
from service.metrics import STAGE_SECONDS
from service.pipeline.report import CopyCheck, FinalReport, Versions
from service.text import plural
from service.types import EncodeOptions, VideoInfo
from service.video.color import MATRIX_RGB
from service.video.join import JoinSummary, join
from service.video.source import Source, load_source
from service.video.stream_copies import CopiedStream, read_copies, streams_left_out

RESULT_BIT_DEPTH = 8

TIMESTAMP_TOLERANCE_S = 0.001
"""Times are exact, except for sources with ticks too fine for MP4; more than this is a mistake, not rounding."""

_HDR_TRANSFERS = (16, 18)
"""FFmpeg's codes of PQ and HLG."""


def finalize(
    source: Path,
    pieces: Sequence[Path],
    target: Path,
    info: VideoInfo,
    options: EncodeOptions,
    frames: int | None = None,
) -> FinalReport:
    """Joins ``pieces`` (in order) into ``target``, compares it with ``source`` and returns the report.

    ``frames``: how many the pieces hold if they are only the beginning of the video; None is all.
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
            joined = join(original, pieces, target, frames)
            return _verify(original, target, joined, len(pieces), options, frames or info.frames)
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
    error = _largest_error(source, result)
    if error > TIMESTAMP_TOLERANCE_S:
        raise PipelineError(f"A frame of the result is {error:.4f} s away from its time in the source.")
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
        copies=_compare(joined.copied, read_copies(target)),
        dropped=(*joined.dropped, *picture_losses(source)),
        pieces=pieces,
        bytes=target.stat().st_size,
        codec=options.codec,
        options=options,
        versions=Versions(_service_version(), str(av.ffmpeg_version_info), av.__version__),
    )


def _largest_error(source: Source, result: Source) -> float:
    """Returns the largest distance of a frame's time in the result from its time in the source, in seconds."""
    ours, theirs = result.index, source.index
    return float(
        max(
            abs(out * ours.time_base - (given - theirs.origin) * theirs.time_base)
            for out, given in zip(ours.pts, theirs.pts, strict=False)  # a partial result is shorter
        )
    )


def _compare(given: tuple[CopiedStream, ...], kept: tuple[CopiedStream, ...]) -> tuple[CopyCheck, ...]:
    if len(given) != len(kept):
        raise PipelineError(
            f"The result holds {len(kept)} sound and subtitle streams of {len(given)} copied."
        )
    return tuple(
        CopyCheck(one.kind, one.codec, one.packets, one.sha256, two.sha256)
        for one, two in zip(given, kept, strict=True)
    )


def foreseen_losses(source: Path, info: VideoInfo) -> tuple[str, ...]:
    """Returns a sentence for each thing that a result could not hold. Raises PipelineError."""
    try:
        return (*streams_left_out(source), *picture_losses(load_source(source, info.excerpt)))
    except VideoError as error:
        raise PipelineError(f"The source cannot be read: {error}") from error


def picture_losses(source: Source) -> list[str]:
    """Returns a sentence for each property of the pictures that a result does not have."""
    picture, index = source.picture, source.index
    losses = [
        (picture.bit_depth > RESULT_BIT_DEPTH, f"{picture.bit_depth} bits per sample were reduced to 8"),
        (picture.color.transfer in _HDR_TRANSFERS, "HDR mastering metadata is not carried over"),
        (picture.has_alpha, "transparency was dropped"),
        (picture.color.matrix == MATRIX_RGB, "RGB-coded video was converted to BT.709 YUV"),
        (picture.interlaced, "interlaced frames were restored and stored as progressive"),
        (
            index.duplicates > 0,
            f"{plural(index.duplicates, 'frame')} with another frame's timestamp left out",
        ),
    ]
    return [sentence for applies, sentence in losses if applies]


def _service_version() -> str:
    try:
        return version("cdvd")
    except PackageNotFoundError:
        return "unknown"
