"""What is exported: uint8 frames in, uint8 frames out; scaling, padding, cropping and rounding inside the graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cascade.cascade import Cascade, restore_window


class WindowGraph(nn.Module):
    """The one contract between the training and the serving side.

    ``frames``: uint8 [T + 2 * stages, H, W, 3] RGB; returns ``restored``: uint8 [T, H, W, 3] RGB. T >= 1; H and W
    >= 64, of any remainder.
    """

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.cascade = cascade

    def forward(self, frames: Tensor) -> Tensor:
        scaled = frames.permute(0, 3, 1, 2).float() / 255
        restored = restore_window(self.cascade, scaled).permute(0, 2, 3, 1)
        return (restored * 255).round().clamp(0, 255).to(torch.uint8)
