"""The two parts of a model that tiles are restored with: what ``export/parts.py`` writes beside the whole graph."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

DOWNSCALE = "downscale"
"""The name under which the flow's graph says it."""
FLOW_GRAPH, RESTORATION_GRAPH = "flow.onnx", "restoration.onnx"

UNITS = 64
"""Per level of 0..255, so that 16 bits hold what a stage restores, which goes a little beyond, to 1/128 of a level."""

Levels = NDArray[np.int16]
"""int16 [3, H, W], RGB in 64ths of a level."""
Small = NDArray[np.float32]
"""float32 [3, h, w], RGB, 0..1: a frame whose sides were rounded up to multiples of 64 and divided by `downscale`."""
Flow = NDArray[np.float32]
"""float32 [2, h', w']: to the right and down, on the grid of the network, in pixels of the frame of rounded sides."""


class Parts(Protocol):
    """Runs the parts of one model."""

    @property
    def downscale(self) -> int:
        """By how much frames are smaller where flow is looked for."""
        ...

    def flow(self, center: Small, neighbor: Small, /) -> Flow:
        """Estimates the flow from a frame to a neighbor. Raises InferenceFailed and OutOfMemory."""
        ...

    def restored(
        self,
        center: Levels,
        previous: Levels,
        following: Levels,
        flow: NDArray[np.float32],
        place: NDArray[np.float32],
        /,
        *,
        keep: bool,
    ) -> NDArray[np.float32]:
        """Restores a tile: float32 [3, h, w] in 64ths of a level, neither clamped nor rounded.

        ``center``: the tile, whose sides are multiples of 8. ``previous``, ``following``: the parts of the neighbors
        that the flow reaches. ``flow``: float32 [2, 2, h, w], to both. ``place``: float32 [4, 2], rows and columns
        of the tile's origin, the frame's size, and the origins of both parts. ``keep``: another tile follows, so
        memory need not be given back. Raises as ``flow`` does.
        """
        ...

    def close(self) -> None:
        """Releases sessions and memory."""
        ...
