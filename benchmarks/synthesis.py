"""Tells how fast training samples are made here, and what takes the time: ``python -m benchmarks.synthesis``.

Counts the time that the processor worked for this process, so that whatever else the machine does weighs little, and
prints samples per second and core for samples as they come without a video codec, and as a recipe for real footage has
them. Photographs are dead leaves and man-made pictures, made before the clock starts.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import FunctionType
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from cascade.data.picture_mix import generated_picture
from cascade.synthesis.camera.processing import CameraProcessing
from cascade.synthesis.camera.response import CameraResponse, add_sensor_noise, compress
from cascade.synthesis.camera.video_codec import through_codec
from cascade.synthesis.crops import random_crop
from cascade.synthesis.exact_flow import exact_flows
from cascade.synthesis.exposure import expose_frames, render_frames
from cascade.synthesis.synthesize import SynthesisConfig, synthesize
from cascade.synthesis.trajectory import random_trajectory

PICTURES = 8
STEPS: dict[str, Callable[..., object]] = {
    "motion": random_trajectory,
    "pieces of photographs": random_crop,
    "exposures": expose_frames,
    "sharp frames": render_frames,
    "exact flow": exact_flows,
    "sensor noise": add_sensor_noise,
    "levels": CameraResponse.to_levels,
    "camera processing": CameraProcessing.__call__,
    "JPEG": compress,
    "video codec": through_codec,
}
"""What the time goes to."""


@dataclass(frozen=True)
class Result:
    """How long samples of one kind take."""

    name: str
    sample_ms: float
    """Processor time of one sample."""
    shares: dict[str, float]
    """Of `STEPS`, from 0 to 1; the rest is between them."""


def kinds(side: int) -> dict[str, SynthesisConfig]:
    """Returns the kinds of samples that are compared, in frames of ``side`` pixels."""
    plain = SynthesisConfig(height=side, width=side, blur=(1.0, 24.0))
    real = replace(plain, coded_share=0.65, processed_share=0.3, color_order_share=1.0, soft_share=0.25)
    return {"plain": plain, "coded": real, "coded, large": replace(real, large_motion_share=0.4)}


def measure(configs: dict[str, SynthesisConfig], samples: int, side: int = 720) -> list[Result]:
    """Makes ``samples`` of each kind in turns, then profiles as many, from pictures of ``side`` pixels."""
    pictures = [generated_picture(np.random.default_rng(seed), side) for seed in range(PICTURES)]
    seconds = dict.fromkeys(configs, 0.0)
    for number in range(samples):
        for name, config in configs.items():
            start = time.process_time()
            synthesize(pictures, config, np.random.default_rng(number))
            seconds[name] += time.process_time() - start
    return [
        Result(name, 1000 * seconds[name] / samples, _shares(pictures, config, samples))
        for name, config in configs.items()
    ]


def _shares(pictures: Sequence[NDArray[np.uint8]], config: SynthesisConfig, samples: int) -> dict[str, float]:
    profile = cProfile.Profile(time.process_time)
    for number in range(samples):
        profile.runcall(synthesize, pictures, config, np.random.default_rng(number))
    stats = pstats.Stats(profile)
    taken = {step: _cumulative(stats, cast(FunctionType, function)) for step, function in STEPS.items()}
    return {step: seconds / stats.total_tt for step, seconds in taken.items()}


def _cumulative(stats: pstats.Stats, function: FunctionType) -> float:
    """Returns the seconds from calls of ``function`` to their ends, 0 where it was never called."""
    code = function.__code__
    entry = stats.stats.get((code.co_filename, code.co_firstlineno, code.co_name))
    return float(entry[3]) if entry else 0.0


def table(results: Sequence[Result]) -> str:
    """Lists the results side by side, one line for each step."""
    width = max(map(len, STEPS))
    lines = [" " * width + "".join(f"{result.name:>14}" for result in results)]
    lines.append(f"{'ms a sample':{width}}" + "".join(f"{result.sample_ms:14.1f}" for result in results))
    rates = [1000 / max(result.sample_ms, 1e-9) for result in results]
    lines.append(f"{'a second and core':{width}}" + "".join(f"{rate:14.1f}" for rate in rates))
    for step in STEPS:
        lines.append(f"{step:{width}}" + "".join(f"{100 * each.shares[step]:13.0f}%" for each in results))
    return "\n".join(lines)


def main() -> None:
    chosen = _parser().parse_args()
    cv2.setNumThreads(0)
    print(table(measure(kinds(chosen.side), chosen.samples)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.synthesis",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--samples", type=int, default=40, help="samples of each kind")
    parser.add_argument("--side", type=int, default=256, help="height and width of the frames, in pixels")
    return parser


if __name__ == "__main__":
    main()
