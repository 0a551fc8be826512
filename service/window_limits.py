"""How a video is cut for the engine: into segments and windows, and how much memory windows take.

Gateway and workers share this arithmetic, so that an estimate describes what a worker does. It is pure and loads
neither numpy nor FFmpeg.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class WindowMemory:
    """What ``model.json`` says of a model's memory, in bytes per pixel of a frame.

    A window of T output frames takes ``pixels * (context + T * frame)`` bytes.
    """

    frame: Annotated[int, Field(gt=0)]
    context: Annotated[int, Field(ge=0)]

    def bytes(self, frame_pixels: int, frames: int) -> int:
        """Returns the bytes of a window of ``frames`` output frames of ``frame_pixels`` pixels each."""
        return frame_pixels * (self.context + frames * self.frame)

    def longest(self, budget: int, frame_pixels: int) -> int:
        """Returns the most output frames, at least one, whose window stays within ``budget`` bytes."""
        return max(1, (budget // frame_pixels - self.context) // self.frame)


@dataclass(frozen=True)
class WindowLimits:
    """The settings that bound segments and their windows; ``service.config`` describes each."""

    segment_frames: int
    frames: int
    """Output frames of one window at most."""
    pixels: int
    """Output pixels of one window at most, where ``bytes`` does not decide."""
    bytes: int | None
    """Memory of one window at most; decides where the model's memory is known."""
    in_flight: int = 2
    """Windows of one segment that are at the engine at a time."""

    def window_frames(self, frame_pixels: int, memory: WindowMemory | None) -> int:
        """Returns the output frames of one call to the engine, at least one, for frames of ``frame_pixels``."""
        if self.bytes is not None and memory is not None:
            longest = memory.longest(self.bytes, frame_pixels)
        else:
            longest = self.pixels // frame_pixels
        return min(max(1, longest), self.frames)

    def segment_bytes(self, frame_pixels: int, frames: int, memory: WindowMemory) -> int:
        """Returns the memory of the windows in flight of a segment of a video of ``frames`` frames."""
        length = min(self.window_frames(frame_pixels, memory), frames)
        return self.in_flight * memory.bytes(frame_pixels, length)


def segment_count(frames: int, frames_per_segment: int) -> int:
    """Returns the number of segments, at least one, whose lengths come nearest to ``frames_per_segment``."""
    return max(1, round(frames / frames_per_segment))
