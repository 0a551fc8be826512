"""Defines what is exported: uint8 frames in, uint8 frames out; all scaling, padding and rounding inside."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cascade.network.cascade import Cascade, pad_to_multiple


class WindowGraph(nn.Module):
    """Computes the one function that the training side gives to the serving side.

    ``frames``: uint8 [T + 2 * stages, H, W, 3] RGB; returns ``restored``: uint8 [T, H, W, 3] RGB. T >= 1; H and W
    >= 64, of any remainder.

    The same as `cascade.network.cascade.restore_window`, in words that TensorRT takes whole: uint8 is cast before
    anything else is done with it, and no dimension is squeezed, which would become an If in the graph.
    """

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.cascade = cascade

    def forward(self, frames: Tensor) -> Tensor:
        """Restores the inner frames of a window; shapes as above."""
        h, w = frames.shape[1:3]
        scaled = frames.float().permute(0, 3, 1, 2) / 255
        padded = pad_to_multiple(scaled, self.cascade.multiple)
        cropped = self.cascade(padded.unsqueeze(0))[-1].restored[0][..., :h, :w]
        restored: Tensor = (cropped.permute(0, 2, 3, 1) * 255).round().clamp(0, 255).to(torch.uint8)
        return restored
