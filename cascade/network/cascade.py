"""The cascade: one stage, applied repeatedly with the same weights, over a window of frames."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cascade.network.config import NetworkConfig
from cascade.network.flow import FlowPrediction
from cascade.network.light_flow import LightFlow
from cascade.network.prior import sharpness_prior
from cascade.network.pwc_net import PwcNet
from cascade.network.restoration import LightRestoration, PaperRestoration, RestorationInput
from cascade.network.warp import warp


@dataclass
class StageOutput:
    """What one stage makes of frames [B, N, 3, H, W]; M is N - 2, the frames with a neighbor on both sides."""

    restored: Tensor
    """[B, M, 3, H, W], not clamped."""
    prior: Tensor
    """[B, M, 1, H, W]."""
    flow: Tensor
    """[2, B, M, 2, H, W]: from each inner frame to its previous and its next one, in pixels."""
    flow_levels: list[Tensor]
    """Every pyramid level's flow [2, B, M, 2, h, w], coarse to fine, in pixels of the frame; none for known flow."""


def split(batch: Tensor, *sizes: int) -> Tensor:
    """Splits the first dimension into ``sizes``: `Tensor.unflatten`, but dynamic in an exported graph."""
    return batch.reshape(*sizes, *batch.shape[1:])


class Stage(nn.Module):
    """Computes R_i = stage(I_{i-1}, I_i, I_{i+1}) for all inner frames of a window at once.

    Each frame's feature pyramid is computed once and serves both directions and up to three centers, which is where
    the reference's sliding window does its redundant work.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        paper = config.preset == "paper"
        self.flow = PwcNet(config.flow) if paper else LightFlow(config.flow)
        self.restoration = (
            PaperRestoration(config.restoration) if paper else LightRestoration(config.restoration)
        )

    def forward(self, frames: Tensor, known_flow: Tensor | None = None) -> StageOutput:
        """``frames`` [B, N, 3, H, W] RGB in [0, 1], N >= 3, H and W multiples of `Cascade.multiple`.

        ``known_flow`` [2, B, N-2, 2, H, W] in pixels, as `StageOutput.flow`, is used instead of an estimate: training
        has it for synthetic frames.
        """
        b, n = frames.shape[:2]
        m = n - 2
        known = None if known_flow is None else FlowPrediction(known_flow.flatten(0, 2), levels=[])
        flow = known or self.neighbor_flow(frames)
        fields = split(flow.flow, 2, b * m)
        previous, center, following = (
            part.flatten(0, 1) for part in (frames[:, :-2], frames[:, 1:-1], frames[:, 2:])
        )
        warped, masks = zip(
            warp(previous, fields[0], padding="border"),
            warp(following, fields[1], padding="border"),
            strict=True,
        )
        prior = sharpness_prior(center, warped, masks, self.config.prior)
        restored = self.restoration(RestorationInput(center, warped, masks, prior, fields))
        return StageOutput(
            restored=split(restored, b, m),
            prior=split(prior, b, m),
            flow=split(flow.flow, 2, b, m),
            flow_levels=[split(level, 2, b, m) for level in flow.levels],
        )

    def neighbor_flow(self, frames: Tensor) -> FlowPrediction:
        """Estimates flow from every inner frame of [B, N, 3, H, W] RGB in [0, 1] to its previous and its next one.

        Returns 2 * B * (N - 2) fields, in pixels: first those to the previous frames, then those to the next ones.
        """
        b, n = frames.shape[:2]
        size = (frames.shape[-2], frames.shape[-1])
        if not self.config.use_flow:
            return FlowPrediction(frames.new_zeros((2 * b * (n - 2), 2, *size)), [])
        pyramid = [split(level, b, n) for level in self.flow.encode(frames.flatten(0, 1))]
        first = [torch.cat((level[:, 1:-1], level[:, 1:-1])).flatten(0, 1) for level in pyramid]
        second = [torch.cat((level[:, :-2], level[:, 2:])).flatten(0, 1) for level in pyramid]
        return self.flow.decode(first, second, size)


class Cascade(nn.Module):
    """Applies the stage ``config.stages`` times; nothing is clamped or quantized in between."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.stage = Stage(config)

    @property
    def multiple(self) -> int:
        """Returns what height and width must be multiples of; `restore_window` pads."""
        return self.stage.restoration.multiple

    def forward(self, frames: Tensor) -> list[StageOutput]:
        """``frames`` [B, N, 3, H, W] RGB in [0, 1], N > 2 * stages. Stage k's output holds N - 2k frames."""
        outputs = []
        for _ in range(self.config.stages):
            output = self.stage(frames)
            outputs.append(output)
            frames = output.restored
        return outputs


def pad_to_multiple(frames: Tensor, multiple: int) -> Tensor:
    """Pads ``frames`` [N, 3, H, W] to multiples in H and W, right and bottom, by repeating the edge.

    Padded by a constant and cut: an exported graph keeps no padding that depends on the size.
    """
    h, w = frames.shape[-2:]
    padded = F.pad(frames, (0, multiple - 1, 0, multiple - 1), mode="replicate")
    return padded[
        ..., : (h + multiple - 1) // multiple * multiple, : (w + multiple - 1) // multiple * multiple
    ]


def restore_window(cascade: Cascade, frames: Tensor) -> Tensor:
    """Restores the inner frames of a window of any size.

    ``frames`` [N, 3, H, W] RGB in [0, 1], N = T + 2 * stages, H and W >= 64. Returns [T, 3, H, W], not clamped.
    Sizes that the network cannot take are padded right and bottom by repeating the edge, and cropped back.
    """
    h, w = frames.shape[-2:]
    padded = pad_to_multiple(frames, cascade.multiple)
    restored: Tensor = cascade(padded.unsqueeze(0))[-1].restored.squeeze(0)
    return restored[..., :h, :w]
