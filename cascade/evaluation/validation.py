"""How much a network gains over the blurred input, while it trains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.data.folders import find_videos, read_frames
from cascade.evaluation.alignment import aligned_psnrs, network_flow
from cascade.evaluation.metrics import protocol_crop, psnr, quantize
from cascade.network.cascade import Cascade, restore_window
from cascade.synthesis.synthesize import SynthesisConfig, synthesize

Clip = tuple[str, NDArray[np.uint8], NDArray[np.uint8]]
"""Name, blurred and sharp frames: uint8 [N, H, W, 3] RGB."""

_HELD_OUT_SEED = 1_000_003
_SYNTHETIC_CLIPS = 12
_SYNTHETIC = "synthetic_"


def paired_clips(root: Path) -> Iterator[Clip]:
    """Every video of a folder with blurred and sharp frames."""
    for video in find_videos(root):
        yield video.name, read_frames(video.blurred), read_frames(video.sharp)


def synthetic_clips(photos: Sequence[NDArray[np.uint8]], side: int = 192, frames: int = 5) -> Iterator[Clip]:
    """The same few clips of ``frames`` frames every time, from photographs that training never sees."""
    config = SynthesisConfig(frames=frames, height=side, width=side)
    for index in range(_SYNTHETIC_CLIPS):
        sample = synthesize(photos, config, np.random.default_rng((_HELD_OUT_SEED, index)))
        yield f"{_SYNTHETIC}{index:02}", sample.blurred, sample.sharp


def restore(cascade: Cascade, blurred: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The restored inner frames uint8 [N - 2 * stages, H, W, 3] of ``blurred`` [N, H, W, 3], N > 2 * stages."""
    with torch.no_grad():
        restored = restore_window(cascade, _images(cascade, blurred)).permute(0, 2, 3, 1)
    return quantize(restored.cpu().numpy())


def gain(cascade: Cascade, blurred: NDArray[np.uint8], sharp: NDArray[np.uint8]) -> float:
    """Mean PSNR of the restored inner frames minus that of the blurred ones, in dB."""
    context = cascade.config.stages
    inner = slice(context, len(blurred) - context)
    measured = (protocol_crop(frames) for frames in (restore(cascade, blurred), blurred[inner], sharp[inner]))
    triples = zip(*measured, strict=True)
    return float(np.mean([psnr(result, truth) - psnr(given, truth) for result, given, truth in triples]))


def mean_gains(cascade: Cascade, clips: Sequence[Clip]) -> dict[str, float]:
    """Gain in dB per clip."""
    training = cascade.training
    cascade.eval()
    gains = {name: gain(cascade, blurred, sharp) for name, blurred, sharp in clips}
    cascade.train(training)
    return gains


def summary(cascade: Cascade, clips: Sequence[Clip]) -> dict[str, float]:
    """What a training logs: ``gain_NAME`` per recorded clip, ``gain_synthetic`` and ``alignment_db``, in dB."""
    gains = mean_gains(cascade, clips)
    real = {name: value for name, value in gains.items() if not name.startswith(_SYNTHETIC)}
    synthetic = [value for name, value in gains.items() if name.startswith(_SYNTHETIC)]
    record = {f"gain_{name}": round(value, 3) for name, value in real.items()}
    if synthetic:
        record["gain_synthetic"] = round(float(np.mean(synthetic)), 3)
    record["alignment_db"] = round(alignment(cascade, clips), 3)
    return record


def alignment(cascade: Cascade, clips: Sequence[Clip]) -> float:
    """How well the flow, estimated on blurred frames, aligns the sharp ones: mean PSNR in dB over all clips.

    As ``python -m cascade.evaluation.alignment`` measures it, clip by clip.
    """
    estimate = network_flow(cascade)
    return float(np.mean([value for clip in clips for value in aligned_psnrs(estimate, clip[1], clip[2])]))


def _images(cascade: Cascade, frames: NDArray[np.uint8]) -> torch.Tensor:
    """uint8 [N, H, W, 3] to float32 [N, 3, H, W] in [0, 1], where the network is."""
    device = next(cascade.parameters()).device
    return torch.from_numpy(frames).to(device).permute(0, 3, 1, 2).float() / 255
