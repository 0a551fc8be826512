"""Measures how well a flow aligns blurred frames.

``python -m cascade.evaluation.alignment --data DIR --model CHECKPOINT|dis|none``

Flow is estimated on the blurred frames, the *sharp* neighbour is warped with it, and compared with the sharp centre
wherever the flow stays in the frame: PSNR in dB, the mean over both neighbours of all inner frames. That is what the
restoration can take from the neighbours at best.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.data.folders import PairingError, find_videos, read_frames
from cascade.evaluation.dis_flow import Flow, dis_flow, inside, sample
from cascade.evaluation.restorers import windows
from cascade.network import checkpoint
from cascade.network.cascade import Cascade, pad_to_multiple, split

Frames = NDArray[np.uint8]
Estimator = Callable[[Frames], NDArray[np.float32]]
"""A window uint8 [N, H, W, 3] RGB to the flows [2, N-2, H, W, 2] from its inner frames to their previous and their
next ones."""

_SMALLEST_ERROR = 2.0**-32
"""A 256th of a grey level: keeps what is exactly equal finite."""


def network_flow(cascade: Cascade) -> Estimator:
    """The flow of a cascade's first stage."""
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
    """DIS flow, without a network."""
    centres = range(1, len(window) - 1)
    return np.stack([[dis_flow(window[i], window[i + step]) for i in centres] for step in (-1, 1)])


def no_flow(window: Frames) -> NDArray[np.float32]:
    """As if nothing moved."""
    return np.zeros((2, len(window) - 2, *window.shape[1:3], 2), np.float32)


def aligned_psnrs(estimate: Estimator, blurred: Frames, sharp: Frames) -> list[float]:
    """PSNR in dB of both aligned sharp neighbours of every inner frame of a clip, uint8 [N, H, W, 3], N >= 3."""
    inner = range(1, len(blurred) - 1)
    values: list[float] = []
    for window, truth in zip(windows(blurred, inner, 1), windows(sharp, inner, 1), strict=True):
        flows = estimate(window)
        for flow, neighbours in zip(flows, (truth[:-2], truth[2:]), strict=True):
            values += map(_aligned_psnr, flow, neighbours, truth[1:-1])
    return values


def _aligned_psnr(flow: Flow, neighbour: Frames, centre: Frames) -> float:
    """0 dB where the flow leaves the frame everywhere."""
    valid = inside(flow)
    difference = (sample(neighbour, flow) - centre)[valid] / 255
    error = float(np.mean(difference**2)) if valid.any() else 1.0
    return float(-10 * np.log10(max(error, _SMALLEST_ERROR)))


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    try:
        estimate = _estimator(options.model)
        values = {
            video.name: aligned_psnrs(estimate, read_frames(video.blurred), read_frames(video.sharp))
            for video in find_videos(options.data)
        }
    except (FileNotFoundError, PairingError, checkpoint.CheckpointError) as error:
        sys.exit(f"alignment: {error}")
    values["mean"] = [float(np.mean(psnrs)) for psnrs in values.values()]
    rows = [f"| {name} | {np.mean(psnrs):.2f} dB |" for name, psnrs in values.items()]
    lines = ["| video | sharp neighbours aligned |", "|---|---|", *rows]
    print("\n".join(lines))  # noqa: T201


def _estimator(name: str) -> Estimator:
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
