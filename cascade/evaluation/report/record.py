"""The figures of an evaluation for programs, as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TypeAlias

from cascade.evaluation.metrics import Quality
from cascade.evaluation.protocol import VideoScore, total, total_flicker
from cascade.evaluation.report.bands import blur_bands

Json: TypeAlias = "float | str | list[Json] | dict[str, Json] | None"


def as_json(scores: Sequence[VideoScore], half: Sequence[VideoScore] = ()) -> str:
    """Formats the figures of `tables`.

    ``videos[{name, frames, seconds_per_frame, input{psnr, ssim}, ..., flicker{input, ...}}]`` and ``total{...}``,
    ``bands[{low, high, frames, input, restored, least_gain}]`` in dB, and with scores at half size
    ``half{videos, total}``. What is infinite or unknown is null.
    """
    record = _section(scores)
    record["bands"] = [_finite(asdict(band)) for band in blur_bands(scores)]
    if half:
        record["half"] = _section(half)
    return json.dumps(record, indent=2, allow_nan=False)


def _section(scores: Sequence[VideoScore]) -> dict[str, Json]:
    return {
        "videos": [_video(score) for score in scores],
        "total": {**_qualities(total(scores)), "flicker": _finite(total_flicker(scores))},
    }


def _video(score: VideoScore) -> Json:
    return {
        "name": score.name,
        "frames": score.frames,
        "seconds_per_frame": score.seconds_per_frame,
        **_qualities(score.qualities),
        "flicker": _finite(score.flicker),
    }


def _qualities(qualities: dict[str, Quality]) -> dict[str, Json]:
    return {key: _finite(asdict(quality)) for key, quality in qualities.items()}


def _finite(values: dict[str, float]) -> Json:
    return {key: value if math.isfinite(value) else None for key, value in values.items()}
