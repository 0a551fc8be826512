"""Plans how a video is restored within the memory that there is: whole frames in long windows, or in tiles.

Gateway and workers share this arithmetic: the gateway refuses what no plan can do, and the worker that plans a job
fixes its plan, because tiles change a few values. It is pure and loads neither numpy nor FFmpeg. The figures are
measured by ``python -m benchmarks.memory``, which compares them with the peak of a real worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from service.memory.coding import USUAL, Coding
from service.types import CONTEXT_FRAMES
from service.window_limits import WindowLimits, WindowMemory

PROCESS_BYTES = 350 << 20
"""A worker with a model, and what it gives back to the system late."""
_RUNTIME_BYTES = 64 << 20
"""What OpenVINO, of which the gateway does not know, takes beyond ONNX Runtime. Tiles are never its work."""
_RGB = 3
"""Bytes of a decoded pixel."""
_TILE_FRAMES = 25
"""Bytes per pixel of what tiles are restored from: three frames of the first stage in 16 bits, two small frames to
look for the flow in, and the flow."""
_STEP = 0.75
"""Share of a plan's memory that the plan after it takes at most: a frame less in a window would hardly help."""
TILE_SIDES = (2048, 1280, 768)
"""Pixels of a tile's side, overlap included: less memory, and more work twice."""


@dataclass(frozen=True)
class TileMemory:
    """What ``model.json`` says of the parts that tiles are restored with, in bytes per pixel."""

    flow: Annotated[int, Field(gt=0)]
    """Per pixel of the frame."""
    tile: Annotated[int, Field(gt=0)]
    """Per pixel of a tile."""


@dataclass(frozen=True)
class MemoryPlan:
    """How the windows of a video are restored. All segments of a job share it."""

    window: int
    """Output frames of one call to the engine."""
    in_flight: int
    """Windows at the engine at a time."""
    tile: int | None
    """Most pixels of a tile's side; None restores whole frames."""
    bytes: int
    """What a worker takes at its peak, decoder and encoder included."""

    @property
    def manner(self) -> str:
        """Says how frames are restored, for people."""
        if self.tile is None:
            return "whole frames"
        return f"tiles of {self.tile} pixels"


@dataclass(frozen=True)
class Demand:
    """What decides how much memory a video takes."""

    width: int
    height: int
    frames: int
    looks: int
    whole: WindowMemory
    tiles: TileMemory | None
    """None for a model that was exported without parts for tiles."""
    coding: Coding = USUAL

    @property
    def pixels(self) -> int:
        """The pixels of a frame."""
        return self.width * self.height


def plans(demand: Demand, limits: WindowLimits) -> Iterator[MemoryPlan]:
    """Yields all plans for a video, the fastest first; each takes less memory than those before it."""
    least: int | None = None
    for plan in _candidates(demand, limits):
        if least is None or plan.bytes < least:
            least = plan.bytes
            yield plan


def best_plan(demand: Demand, limits: WindowLimits, memory: int) -> MemoryPlan | None:
    """Returns the fastest plan that stays within ``memory`` bytes; None if there is none.

    Whole frames leave half of it to a second job where they can: the last frames of a long window gain little.
    """
    fitting = [plan for plan in plans(demand, limits) if plan.bytes <= memory]
    modest = (plan for plan in fitting if plan.tile is None and plan.bytes <= memory // 2)
    return next(modest, fitting[0] if fitting else None)


def least_plan(demand: Demand, limits: WindowLimits) -> MemoryPlan:
    """Returns the plan that takes the least memory."""
    *_, last = plans(demand, limits)
    return last


def smaller_plan(demand: Demand, limits: WindowLimits, plan: MemoryPlan) -> MemoryPlan | None:
    """Returns a plan for after ``plan`` ran out of memory, much smaller where there is one; None if none is smaller."""
    smaller = [one for one in plans(demand, limits) if one.bytes < plan.bytes]
    much = (one for one in smaller if one.bytes <= _STEP * plan.bytes)
    return next(much, smaller[-1] if smaller else None)


def _candidates(demand: Demand, limits: WindowLimits) -> Iterator[MemoryPlan]:
    longest = min(limits.frames, demand.frames)
    if limits.bytes is not None:
        longest = min(longest, demand.whole.longest(limits.bytes, demand.pixels))
    for in_flight in range(limits.in_flight, 0, -1):
        for window in range(longest, 0, -1):
            yield _whole(demand, window, in_flight)
    if demand.tiles is None:
        return
    for side in TILE_SIDES:
        for window in (min(4, longest), 1):
            yield _tiled(demand, demand.tiles, window, side)


def _whole(demand: Demand, window: int, in_flight: int) -> MemoryPlan:
    engine = demand.whole.bytes(demand.pixels, window)
    taken = engine + demand.pixels * _pipeline(demand, window, in_flight)
    return MemoryPlan(window, in_flight, None, PROCESS_BYTES + _RUNTIME_BYTES + int(taken))


def _tiled(demand: Demand, model: TileMemory, window: int, side: int) -> MemoryPlan:
    tile = min(side, demand.width) * min(side, demand.height)
    # A tile is restored when the flow is known, but neither gives all of its memory back.
    engine = demand.pixels * (_TILE_FRAMES + model.flow) + tile * model.tile
    taken = engine + demand.pixels * _lean_pipeline(demand, window)
    return MemoryPlan(window, 1, side, PROCESS_BYTES + int(taken))


def _pipeline(demand: Demand, window: int, in_flight: int) -> float:
    """Returns bytes per pixel of the frames around the engine: those that wait to be a window, windows, results."""
    given = window + CONTEXT_FRAMES
    waiting = given + 1 + given * 2  # in the scene, being made, and ready
    looked_at = (given + window) * in_flight * (1 if demand.looks == 1 else demand.looks + 3)
    kept = given + window * (2 + in_flight)
    return _RGB * (waiting + looked_at) + demand.coding.bytes(demand.pixels, kept)


def _lean_pipeline(demand: Demand, window: int) -> float:
    """Returns bytes per pixel where nothing is decoded ahead, and frames that wait share a window's memory."""
    given = window + CONTEXT_FRAMES
    looks = 0 if demand.looks == 1 else (given + window) * (demand.looks + 1)
    return _RGB * (given + window + looks) + demand.coding.bytes(demand.pixels, given)


def wanting(demand: Demand, limits: WindowLimits, memory: int) -> str:
    """Says how much memory a video needs at least, and how much there is."""
    needed = least_plan(demand, limits).bytes
    return (
        f"Frames of {demand.width} x {demand.height} pixels take at least {_gib(needed)} of a worker, "
        f"and the smallest has {_gib(memory)}."
    )


def _gib(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB"
