"""Measures how well a flow aligns blurred frames.

``python -m cascade.evaluation.alignment --data DIR --model CHECKPOINT|dis|none``

It estimates flow on the blurred frames, warps the *sharp* neighbor with it, and compares the result with the sharp
center wherever the flow stays in the frame: PSNR in dB, the mean over both neighbors of all inner frames. That is
what the restoration can take from the neighbors at best.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.data.clips import Clip, paired_clips
from cascade.data.folders import PairingError
from cascade.evaluation.dis_flow import Flow, dis_flow, points_inside, warp_by_flow
from cascade.evaluation.windows import windows
from cascade.network import checkpoint
from cascade.network.cascade import Cascade, pad_to_multiple, split

Frames = NDArray[np.uint8]
FlowEstimator = Callable[[Frames], NDArray[np.float32]]
"""Takes a window uint8 [N, H, W, 3] RGB; returns the flows float32 [2, N-2, H, W, 2], in pixels, from its inner
frames to their previous and to their next ones."""

_SMALLEST_ERROR = 2.0**-32
"""Mean squared error of a 256th of a gray level, with white at 1: keeps the PSNR of equal pixels finite."""


def network_flow(cascade: Cascade) -> FlowEstimator:
    """Makes an estimator of a cascade's first stage."""
    device = next(cascade.parameters()).device

    def estimate(window: Frames) -> NDArray[np.float32]:
        height, width = window.shape[1:3]
        frames = torch.from_numpy(window).to(device).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            flow = cascade.stage.neighbor_flow(pad_to_multiple(frames, cascade.multiple)[None]).flow
        flow = split(flow[..., :height, :width].permute(0, 2, 3, 1), 2, len(window) - 2)
        return np.asarray(flow.cpu().numpy(), np.float32)

    return estimate


def opencv_flow(window: Frames) -> NDArray[np.float32]:
    """Estimates DIS flow, without a network."""
    centers = range(1, len(window) - 1)
    return np.stack([[dis_flow(window[i], window[i + step]) for i in centers] for step in (-1, 1)])


def no_flow(window: Frames) -> NDArray[np.float32]:
    """Returns flows of zero, as if nothing moved."""
    return np.zeros((2, len(window) - 2, *window.shape[1:3], 2), np.float32)


def aligned_psnrs(estimate: FlowEstimator, clip: Clip) -> list[float]:
    """Returns the PSNR in dB of both aligned sharp neighbors of every inner frame of a clip of at least 3 frames."""
    inner = range(1, len(clip.blurred) - 1)
    values: list[float] = []
    for window, truth in zip(windows(clip.blurred, inner, 1), windows(clip.sharp, inner, 1), strict=True):
        flows = estimate(window)
        for flow, neighbors in zip(flows, (truth[:-2], truth[2:]), strict=True):
            values += map(_aligned_psnr, flow, neighbors, truth[1:-1])
    return values


def _aligned_psnr(flow: Flow, neighbor: Frames, center: Frames) -> float:
    """Returns the PSNR in dB of the pixels whose flow stays in the frame, 0 dB where none does."""
    valid = points_inside(flow)
    difference = (warp_by_flow(neighbor, flow) - center)[valid] / 255
    error = float(np.mean(difference**2)) if valid.any() else 1.0
    return float(-10 * np.log10(max(error, _SMALLEST_ERROR)))


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    try:
        estimate = _estimator(options.model)
        values = {clip.name: aligned_psnrs(estimate, clip) for clip in paired_clips(options.data)}
    except (FileNotFoundError, PairingError, checkpoint.CheckpointError) as error:
        sys.exit(f"alignment: {error}")
    values["mean"] = [float(np.mean(psnrs)) for psnrs in values.values()]
    rows = [f"| {name} | {np.mean(psnrs):.2f} dB |" for name, psnrs in values.items()]
    lines = ["| video | sharp neighbors aligned |", "|---|---|", *rows]
    print("\n".join(lines))  # noqa: T201


def _estimator(name: str) -> FlowEstimator:
    if name in ("dis", "none"):
        return opencv_flow if name == "dis" else no_flow
    return network_flow(checkpoint.load(Path(name)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cascade.evaluation.alignment", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="paired folder, as for cascade.evaluate")
    parser.add_argument("--model", required=True, help="a checkpoint, dis (OpenCV's flow) or none")
    return parser


if __name__ == "__main__":
    main()
