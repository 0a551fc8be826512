"""The cost volume of PWC-Net: how well each pixel matches the 81 pixels around its counterpart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

RADIUS = 4
"""Displacements of -4..4 pixels in each direction."""
DIAMETER = 2 * RADIUS + 1
_BLOCK = 16
_BAND = _BLOCK + 2 * RADIUS  # columns of the second map that a block of 16 pixels can meet


def correlation(first: Tensor, second: Tensor) -> Tensor:
    """Sum over channels of ``first[y, x] * second[y + dy, x + dx]`` for all displacements of -4..4 pixels.

    ``first``, ``second``: [B, C, H, W]. Returns [B, 81, H, W], channel ``(dy + 4) * 9 + (dx + 4)``; outside of
    ``second`` is zero.

    Computed as a banded matrix product, which reads memory a ninth as often as 81 shifted products: for a block
    of 16 pixels of a row, ``[16, C] x [C, 24]`` holds all nine horizontal displacements on its diagonals. Element
    (i, i + d) of the [16, 24] product stands at ``25 i + d`` when flattened, so that padding to 16 x 25 and
    reshaping lines the diagonals up as columns.
    """
    b, c, h, w = first.shape
    blocks = (w + _BLOCK - 1) // _BLOCK
    # Padded by a constant and cut to whole blocks: an exported graph keeps no padding that depends on the size.
    width = blocks * _BLOCK
    rows = F.pad(first, (0, _BLOCK - 1))[..., :width].permute(0, 2, 3, 1).reshape(b, h, blocks, _BLOCK, c)
    padded = F.pad(second, (RADIUS, RADIUS + _BLOCK - 1, RADIUS, RADIUS))
    bands = _bands(padded[..., : width + 2 * RADIUS], blocks)
    volume = [
        _diagonals(rows @ bands[:, dy : dy + h]).reshape(b, h, width, DIAMETER) for dy in range(DIAMETER)
    ]
    return torch.cat(volume, dim=-1)[:, :, :w].permute(0, 3, 1, 2)


def _bands(padded: Tensor, blocks: int) -> Tensor:
    """[B, C, H+8, 16n+8] to [B, H+8, n, C, 24]: for each block the columns that it can meet."""
    b, c, h, _ = padded.shape
    eighths = padded.reshape(b, c, h, 2 * blocks + 1, _BLOCK // 2)
    parts = [eighths[:, :, :, start : start + 2 * blocks : 2] for start in (0, 1)]
    bands = torch.cat([*parts, eighths[:, :, :, 2::2]], dim=-1)
    return bands.permute(0, 2, 3, 1, 4)


def _diagonals(product: Tensor) -> Tensor:
    """[B, H, n, 16, 24] to [B, H, n, 16, 9]: element (i, i + d) for d in 0..8."""
    b, h, n = product.shape[:3]
    flat = F.pad(product.reshape(b, h, n, _BLOCK * _BAND), (0, _BLOCK))
    return flat.reshape(b, h, n, _BLOCK, _BAND + 1)[..., :DIAMETER]
