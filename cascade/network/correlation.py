"""The cost volume of PWC-Net: how well each pixel matches the pixels around its counterpart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_BLOCK = 16


def volume_channels(radius: int) -> int:
    """Returns how many displacements of -radius..radius pixels in both directions there are."""
    return (2 * radius + 1) ** 2


def correlation(first: Tensor, second: Tensor, radius: int) -> Tensor:
    """Sums ``first[y, x] * second[y + dy, x + dx]`` over channels for all displacements of -radius..radius pixels.

    ``first``, ``second``: [B, C, H, W]. Returns [B, D * D, H, W] with D = 2 * radius + 1, the displacement (dy, dx)
    in channel ``(dy + radius) * D + (dx + radius)``; outside of ``second`` is zero. ``radius`` is at most 8.

    Computed as a banded matrix product, which reads memory less often than D * D shifted products do: for a block of
    16 pixels of a row, ``[16, C] x [C, 15 + D]`` holds all horizontal displacements on its diagonals. Element
    (i, i + d) of that product stands at ``(16 + D) * i + d`` when flattened, so that padding to 16 x (16 + D) and
    reshaping lines the diagonals up as columns.
    """
    b, c, h, w = first.shape
    diameter = 2 * radius + 1
    blocks = (w + _BLOCK - 1) // _BLOCK
    # Padded by a constant and cut to whole blocks: an exported graph keeps no padding that depends on the size.
    width = blocks * _BLOCK
    rows = F.pad(first, (0, _BLOCK - 1))[..., :width].permute(0, 2, 3, 1).reshape(b, h, blocks, _BLOCK, c)
    bands = _bands(F.pad(second, (radius, 2 * _BLOCK, radius, radius)), blocks, radius)
    volume = [
        _diagonals(rows @ bands[:, dy : dy + h], diameter).reshape(b, h, width, diameter)
        for dy in range(diameter)
    ]
    return torch.cat(volume, dim=-1)[:, :, :w].permute(0, 3, 1, 2)


def _bands(padded: Tensor, blocks: int, radius: int) -> Tensor:
    """Cuts the columns that each block can meet.

    ``padded``: [B, C, H + 2 * radius, >= 16 * (blocks + 1)]. Returns [B, H + 2 * radius, blocks, C, 16 + 2 * radius].
    """
    b, c, h, _ = padded.shape
    width = blocks * _BLOCK
    own = padded[..., :width].reshape(b, c, h, blocks, _BLOCK)
    following = padded[..., _BLOCK : _BLOCK + width].reshape(b, c, h, blocks, _BLOCK)
    return torch.cat((own, following[..., : 2 * radius]), dim=-1).permute(0, 2, 3, 1, 4)


def _diagonals(product: Tensor, diameter: int) -> Tensor:
    """Returns the elements (i, i + d), d in 0..D-1, of [B, H, n, 16, 15 + D] as [B, H, n, 16, D]."""
    b, h, n, _, band = product.shape
    flat = F.pad(product.reshape(b, h, n, _BLOCK * band), (0, _BLOCK))
    return flat.reshape(b, h, n, _BLOCK, band + 1)[..., :diameter]
