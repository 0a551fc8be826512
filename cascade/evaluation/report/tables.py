"""The tables of an evaluation in Markdown, one for each subject."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from cascade.evaluation.metrics import Quality
from cascade.evaluation.protocol import VideoScore, total, total_flicker
from cascade.evaluation.report.bands import Band, blur_bands

NOTHING = "-"
"""In the place of a figure that does not exist, as the gain over an input that equals the truth."""


def tables(scores: Sequence[VideoScore], half: Sequence[VideoScore] = ()) -> str:
    """Formats all tables; the one that compares sizes is there with ``half``, the scores at half size."""
    parts = [quality_table(scores), bands_table(blur_bands(scores)), flicker_table(scores)]
    if half:
        parts.append(size_table(scores, half))
    return "\n\n".join(part for part in parts if part)


def quality_table(scores: Sequence[VideoScore]) -> str:
    """Formats PSNR in dB and SSIM of input, stages and result, the gain, and the time per frame."""
    totals = total(scores)
    frames = sum(score.frames for score in scores)
    seconds = sum(score.frames * score.seconds_per_frame for score in scores) / frames
    rows = [
        *(
            _quality_row(score.name, score.frames, score.qualities, score.seconds_per_frame)
            for score in scores
        ),
        _quality_row("total", frames, totals, seconds),
    ]
    return _table(["video", "frames", *totals, "gain", "ms/frame"], rows)


def bands_table(bands: Sequence[Band]) -> str:
    """Formats the gains by strength of blur; nothing where no frame was blurred."""
    rows = [
        [
            _bounds(band),
            str(band.frames),
            f"{band.input:.2f}",
            f"{band.restored:.2f}",
            f"{band.gain:+.2f} dB",
            f"{band.least_gain:+.2f} dB",
        ]
        for band in bands
    ]
    headings = ["PSNR of the input", "frames", "input", "restored", "gain", "least of a frame"]
    return _table(headings, rows) if rows else ""


def flicker_table(scores: Sequence[VideoScore]) -> str:
    """Formats the flicker in levels; nothing where no video has two measured frames."""
    measured = [score for score in scores if score.flicker]
    if not measured:
        return ""
    rows = [_flicker_row(score.name, score.flicker) for score in measured]
    rows.append(_flicker_row("total", total_flicker(measured)))
    return _table(["flicker, in levels", *measured[0].flicker], rows)


def size_table(native: Sequence[VideoScore], half: Sequence[VideoScore]) -> str:
    """Formats input and gain of the same videos at their own and at half size."""
    rows = [
        [score.name, *_input_and_gain(score.qualities), *_input_and_gain(other.qualities)]
        for score, other in zip(native, half, strict=True)
    ]
    rows.append(["total", *_input_and_gain(total(native)), *_input_and_gain(total(half))])
    return _table(["video", "native: input", "gain", "half size: input", "gain"], rows)


def _quality_row(
    name: str, frames: int, qualities: dict[str, Quality], seconds_per_frame: float
) -> list[str]:
    return [
        name,
        str(frames),
        *(f"{quality.psnr:.2f} / {quality.ssim:.3f}" for quality in qualities.values()),
        _gain(qualities),
        f"{seconds_per_frame * 1000:.0f}",
    ]


def _gain(qualities: dict[str, Quality]) -> str:
    given, result = qualities["input"], qualities["restored"]
    if math.isinf(given.psnr):
        return NOTHING
    return f"{result.psnr - given.psnr:+.2f} dB, {result.ssim - given.ssim:+.3f}"


def _input_and_gain(qualities: dict[str, Quality]) -> tuple[str, str]:
    return f"{qualities['input'].psnr:.2f} / {qualities['input'].ssim:.3f}", _gain(qualities)


def _flicker_row(name: str, values: dict[str, float]) -> list[str]:
    return [name, *(f"{value:.2f}" for value in values.values())]


def _bounds(band: Band) -> str:
    if math.isinf(band.high):
        return f"{band.low:.0f} dB and above"
    return f"below {band.high:.0f} dB" if band.low == 0 else f"{band.low:.0f} to {band.high:.0f} dB"


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
