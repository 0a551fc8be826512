"""Estimates how much memory a window takes, from the lives of the graph's tensors and a small window's real shapes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, ValueInfoProto

from export.onnx import INPUT
from export.parts import FLOW_GRAPH, RESTORATION_GRAPH

_SIDES = (128, 192)
"""Multiples of 64, so that nothing is padded: memory is then in proportion to the pixels."""
_RESERVE = 1.8
"""ONNX Runtime took 1.3 to 1.76 times the sum of live tensors on the CPU (the light network up to 720p, the paper's at
256x320, one to four output frames): its arena grows in steps, and convolutions want workspaces."""
_FLOW_SIDES = (1024, 1536)
"""Flow is found in bands, whose overlap would count for too much in a small frame."""
_FLOW_RESERVE, _TILE_RESERVE = 1.35, 2.5
"""The parts of tiles took 1.35 and 2.46 times as much (the light network, 7680x4320 and tiles of 768x768): the bands of
the flow are small."""
_VIEWS = frozenset({"Reshape", "Squeeze", "Unsqueeze", "Identity"})
"""Their output is their input under another shape."""
_QUIET = 3
"""Errors only."""

Feeds = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class MemoryCost:
    """A window of T output frames takes ``pixels * (context + T * frame)`` bytes; pixels are those of one frame."""

    frame: int
    """Bytes per pixel for each output frame."""
    context: int
    """Bytes per pixel for the context frames, however long the window."""

    def longest(self, budget: int, height: int, width: int) -> int:
        """Returns the most output frames, at least one, whose window stays within ``budget`` bytes."""
        return max(1, (budget // (height * width) - self.context) // self.frame)

    def window(self, frames: int, height: int, width: int) -> int:
        """Returns the bytes that a window with so many output frames takes."""
        return height * width * (self.context + frames * self.frame)


@dataclass(frozen=True)
class TileCost:
    """What the parts take, in bytes per pixel."""

    flow: int
    """Per pixel of the frame, while the flow between two frames is estimated."""
    tile: int
    """Per pixel of a tile, while it is restored."""


def memory_cost(path: Path, context_frames: int) -> MemoryCost:
    """Estimates the cost of the FP32 graph at ``path`` from its activations and a reserve. FP16 takes less."""
    model = onnx.load(str(path))
    pixels = _SIDES[0] * _SIDES[1]
    windows = [np.zeros((context_frames + count, *_SIDES, 3), np.uint8) for count in (1, 2)]
    one, two = (_RESERVE * _peak(model, {INPUT: window}) / pixels for window in windows)
    return MemoryCost(frame=ceil(two - one), context=max(0, ceil(2 * one - two)))


def tile_cost(directory: Path) -> TileCost:
    """Estimates the cost of the two parts in ``directory``, as `memory_cost` does that of the whole graph."""
    picture = np.zeros((1, 3, *_SIDES), np.int16)
    place = np.array([(0, 0), _SIDES, (0, 0), (0, 0)], np.float32)
    tile: Feeds = {
        "center": picture,
        "previous": picture,
        "following": picture,
        "flow": np.zeros((2, 2, *_SIDES), np.float32),
        "place": place,
    }
    downscale = int(onnx.load(str(directory / FLOW_GRAPH)).metadata_props[0].value)
    frame = np.zeros((1, 3, *(side // downscale for side in _FLOW_SIDES)), np.float32)
    small: Feeds = {"center": frame, "neighbor": frame}
    return TileCost(
        flow=_bytes_per_pixel(directory / FLOW_GRAPH, _FLOW_RESERVE, small, _FLOW_SIDES),
        tile=_bytes_per_pixel(directory / RESTORATION_GRAPH, _TILE_RESERVE, tile, _SIDES),
    )


def _bytes_per_pixel(path: Path, reserve: float, feeds: Feeds, sides: tuple[int, int]) -> int:
    return ceil(reserve * _peak(onnx.load(str(path)), feeds) / (sides[0] * sides[1]))


def _peak(model: ModelProto, feeds: Feeds) -> int:
    """Returns the largest sum of the sizes of tensors that are needed at the same time, in bytes."""
    sizes = _sizes(model, feeds)
    buffers = _buffers(model, feeds)
    last_use = {
        buffers[name]: at for at, node in enumerate(model.graph.node) for name in _tensors(node, buffers)
    }
    held = {name: sizes[name] for name in feeds}
    peak = 0
    for position, node in enumerate(model.graph.node):
        held |= {name: sizes[name] for name in node.output if buffers[name] == name}
        peak = max(peak, sum(held.values()))
        held = {name: size for name, size in held.items() if last_use[name] > position}
    return peak


def _buffers(model: ModelProto, feeds: Feeds) -> dict[str, str]:
    """Maps each tensor to its buffer, which has the name of the tensor that it was made for."""
    buffers = {name: name for name in feeds}
    for node in model.graph.node:
        for name in node.output:
            shares = node.op_type in _VIEWS and node.input[0] in buffers
            buffers[name] = buffers[node.input[0]] if shares else name
    return buffers


def _tensors(node: NodeProto, buffers: dict[str, str]) -> list[str]:
    """Returns what the node reads and writes, without weights."""
    return [name for name in (*node.input, *node.output) if name in buffers]


def _sizes(model: ModelProto, feeds: Feeds) -> dict[str, int]:
    """Returns the bytes of every tensor for these inputs: makes all of them outputs, and runs the graph."""
    exposed = ModelProto()
    exposed.CopyFrom(model)
    names = [name for node in model.graph.node for name in node.output if name]
    del exposed.graph.output[:]
    exposed.graph.output.extend(ValueInfoProto(name=name) for name in names)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = _QUIET
    session = ort.InferenceSession(
        exposed.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )
    values = session.run(names, feeds)
    return {
        **{name: value.nbytes for name, value in feeds.items()},
        **{name: value.nbytes for name, value in zip(names, values, strict=True)},
    }
