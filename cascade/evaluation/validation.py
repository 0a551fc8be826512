"""What a network gains over the blurred input, measured while it trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cascade.data.clips import Clip
from cascade.evaluation.alignment import aligned_psnrs, network_flow
from cascade.evaluation.metrics import protocol_crop, psnr, quantize
from cascade.network.cascade import Cascade, restore_window

Frames = NDArray[np.uint8]


def restore(cascade: Cascade, blurred: Frames) -> Frames:
    """Returns the restored inner frames of ``blurred`` uint8 [N, H, W, 3] RGB, N > 2 * stages.

    They are uint8 [N - 2 * stages, H, W, 3].
    """
    with torch.no_grad():
        restored = restore_window(cascade, _images(cascade, blurred)).permute(0, 2, 3, 1)
    return quantize(restored.cpu().numpy())


def gain(cascade: Cascade, clip: Clip) -> float:
    """Returns the mean PSNR of the restored inner frames minus that of the blurred ones, in dB."""
    context = cascade.config.stages
    inner = slice(context, len(clip.blurred) - context)
    restored = restore(cascade, clip.blurred)
    cropped = (protocol_crop(frames) for frames in (restored, clip.blurred[inner], clip.sharp[inner]))
    triples = zip(*cropped, strict=True)
    return float(np.mean([psnr(result, truth) - psnr(given, truth) for result, given, truth in triples]))


def gains(cascade: Cascade, clips: Sequence[Clip]) -> list[float]:
    """Returns the gain of each clip in dB, with the network in evaluation mode while it is measured."""
    training = cascade.training
    cascade.eval()
    values = [gain(cascade, clip) for clip in clips]
    cascade.train(training)
    return values


def summary(cascade: Cascade, clips: Sequence[Clip]) -> dict[str, float]:
    """Returns what a training logs, in dB: ``gain_NAME`` per recorded clip, ``gain_synthetic``, ``alignment_db``."""
    values = gains(cascade, clips)
    record = {
        f"gain_{clip.name}": round(value, 3)
        for clip, value in zip(clips, values, strict=True)
        if not clip.synthetic
    }
    synthetic = [value for clip, value in zip(clips, values, strict=True) if clip.synthetic]
    if synthetic:
        record["gain_synthetic"] = round(float(np.mean(synthetic)), 3)
    record["alignment_db"] = round(alignment(cascade, clips), 3)
    return record


def alignment(cascade: Cascade, clips: Sequence[Clip]) -> float:
    """Returns how well the flow, estimated on blurred frames, aligns the sharp ones: the mean PSNR of all in dB.

    ``python -m cascade.evaluation.alignment`` measures the same clip by clip.
    """
    estimate = network_flow(cascade)
    return float(np.mean([value for clip in clips for value in aligned_psnrs(estimate, clip)]))


def _images(cascade: Cascade, frames: Frames) -> torch.Tensor:
    """Converts uint8 [N, H, W, 3] to float32 [N, 3, H, W] in [0, 1] on the network's device."""
    device = next(cascade.parameters()).device
    return torch.from_numpy(frames).to(device).permute(0, 3, 1, 2).float() / 255
