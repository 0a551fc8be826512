"""What decides the cost of a video."""

from __future__ import annotations

from dataclasses import dataclass

from service.memory.coding import USUAL, Coding


@dataclass(frozen=True)
class Workload:
    """What decides the cost of a video: model and looks, and the size and number of its frames. Sizes are in pixels."""

    model: str
    width: int
    height: int
    frames: int
    looks: int = 1
    cost: float = 1.0
    """Of the model, as its card says."""
    coding: Coding = USUAL
    """Decides memory alone."""

    @property
    def pixels(self) -> int:
        """The pixels of all frames together."""
        return self.width * self.height * self.frames

    @property
    def restored_pixels(self) -> int:
        """The pixels that the engine restores: those of all frames, once per look."""
        return self.pixels * self.looks
