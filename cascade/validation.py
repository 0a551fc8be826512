"""How much a network gains over the blurred input, while it trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.cascade import Cascade, restore_window
from cascade.data.folders import find_videos, read_frames
from cascade.data.synthesis import SynthesisConfig, synthesize
from cascade.metrics import protocol_crop, psnr, quantize
from cascade.warp import warp

Clip = tuple[str, NDArray[np.uint8], NDArray[np.uint8]]
"""Name, blurred and sharp frames: uint8 [N, H, W, 3] RGB."""

_HELD_OUT_SEED = 1_000_003
_SYNTHETIC_CLIPS = 12


def paired_clips(root: Path) -> Iterator[Clip]:
    """Every video of a folder with blurred and sharp frames."""
    for video in find_videos(root):
        yield video.name, read_frames(video.blurred), read_frames(video.sharp)


def synthetic_clips(photos: Sequence[NDArray[np.uint8]], side: int = 192) -> Iterator[Clip]:
    """The same few five-frame clips every time, from photographs that training never sees."""
    config = SynthesisConfig(frames=5, height=side, width=side)
    for index in range(_SYNTHETIC_CLIPS):
        sample = synthesize(photos, config, np.random.default_rng((_HELD_OUT_SEED, index)))
        yield f"synthetic_{index:02}", sample.blurred, sample.sharp


def gain(cascade: Cascade, blurred: NDArray[np.uint8], sharp: NDArray[np.uint8]) -> float:
    """Mean PSNR of the restored inner frames minus that of the blurred ones, in dB."""
    context = cascade.config.stages
    with torch.no_grad():
        frames = torch.from_numpy(blurred).permute(0, 3, 1, 2).float() / 255
        restored = quantize(restore_window(cascade, frames).permute(0, 2, 3, 1).numpy())
    inner = slice(context, len(blurred) - context)
    measured = (protocol_crop(frames) for frames in (restored, blurred[inner], sharp[inner]))
    triples = zip(*measured, strict=True)
    return float(np.mean([psnr(result, truth) - psnr(given, truth) for result, given, truth in triples]))


def mean_gains(cascade: Cascade, clips: Sequence[Clip]) -> dict[str, float]:
    """Gain in dB per clip."""
    training = cascade.training
    cascade.eval()
    gains = {name: gain(cascade, blurred, sharp) for name, blurred, sharp in clips}
    cascade.train(training)
    return gains


def alignment(cascade: Cascade, clips: Sequence[Clip]) -> float:
    """How well the flow, estimated on blurred frames, aligns the sharp ones: mean PSNR in dB over all clips.

    The next sharp frame is warped to each inner one and compared with it.
    """
    values = []
    for _, blurred, sharp in clips:
        frames = torch.from_numpy(blurred).permute(0, 3, 1, 2).float()[None] / 255
        truth = torch.from_numpy(sharp).permute(0, 3, 1, 2).float() / 255
        with torch.no_grad():
            flow = cascade.stage.neighbour_flow(frames).flow
            warped, mask = warp(truth[2:], flow[len(truth) - 2 :], padding="border")
        for image, valid, target in zip(warped, mask, truth[1:-1], strict=True):
            error = ((image - target) ** 2 * valid).sum() / (3 * valid.sum())
            values.append(-10 * float(torch.log10(error)))
    return float(np.mean(values))
