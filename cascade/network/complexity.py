"""Counts what a network costs: ``python -m cascade.network.complexity`` prints parameters and multiply-adds."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from cascade.network.cascade import Stage
from cascade.network.config import PRESETS, NetworkConfig


def macs_per_pixel(config: NetworkConfig, height: int = 256, width: int = 256) -> float:
    """Counts multiply-accumulates per full-resolution pixel and stage of one more frame in a window, flow included.

    ``height`` and ``width`` should be multiples of 64, or the resize to multiples of 64 is counted as overhead.
    """
    with torch.device("meta"):
        stage = Stage(config)
        counts = [_macs(stage, torch.empty(1, frames, 3, height, width)) for frames in (6, 7)]
    return (counts[1] - counts[0]) / (height * width)


def _macs(stage: Stage, frames: torch.Tensor) -> int:
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        stage(frames)
    return counter.get_total_flops() // 2


def main() -> None:
    for name, config in sorted(PRESETS.items()):
        parameters = sum(p.numel() for p in Stage(config).parameters())
        cost = macs_per_pixel(config) / 1000
        print(f"{name}: {parameters:,} parameters, {cost:.1f} kMAC per pixel and stage")  # noqa: T201


if __name__ == "__main__":
    main()
