"""Defines the two parts that a big picture is restored with, piece by piece: the optical flow and the restoration.

The flow network sees whole frames: its features lose their mean over the frame, and motion is looked for far away, so
that a part of a frame would get another flow. What follows is local: a tile of the center frame, the flow there, and
what the flow reaches in the neighbors give the same tile of the result, wherever the tile is cut.
"""

from __future__ import annotations

import contextlib
import copy
import io
import warnings
from pathlib import Path

import onnx
import onnxslim
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cascade.network.cascade import Cascade
from cascade.network.light_flow import LightLevel
from cascade.network.prior import sharpness_prior
from cascade.network.restoration import RestorationInput

FLOW_GRAPH, RESTORATION_GRAPH = "flow.onnx", "restoration.onnx"
DOWNSCALE = "downscale"
"""Under this name the flow's graph says by how much frames are smaller there, after both sides were rounded up to
multiples of 64."""
UNITS = 64
"""Per level of 0..255: what frames are counted in between the parts. Half precision would round restored frames
eight times as coarsely, and where motion is hard to tell that shows in the flow of the second stage."""
_BANDS = 8
"""Of the two finest levels of the flow, which take several times the memory of all others."""
_WHITE = 255.0 * UNITS
_VALID = 0.999
"""As in `cascade.network.warp`: a sample is inside the frame when its bilinear weights there sum to at least this."""


class FlowPart(nn.Module):
    """Estimates the flow between two frames that have the size which the flow network works at.

    Frames are brought to that size, and the flow from its grid to the frame's, outside of the graph, a few rows or a
    tile at a time: at the size of the frame, that took more memory than the network.
    """

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.flow = copy.deepcopy(cascade.stage.flow)
        for level in self.flow.decoders[-2:]:
            if isinstance(level, LightLevel):
                level.bands = _BANDS

    def forward(self, center: Tensor, neighbor: Tensor) -> Tensor:
        """``center``, ``neighbor``: float32 [1, 3, h, w] RGB, 0..1, h and w multiples of 64 / downscale.

        Returns float32 [1, 2, h', w']: the flow from the center to the neighbor, in pixels of downscale * h by
        downscale * w.
        """
        first, second = self.flow.features(center), self.flow.features(neighbor)
        flow: Tensor = self.flow.decode(first, second, (center.shape[-2], center.shape[-1])).levels[-1]
        return flow


class RestorationPart(nn.Module):
    """Restores a tile of a frame, given the flow there."""

    def __init__(self, cascade: Cascade) -> None:
        super().__init__()
        self.restoration = cascade.stage.restoration
        self.prior = cascade.config.prior

    def forward(
        self, center: Tensor, previous: Tensor, following: Tensor, flow: Tensor, place: Tensor
    ) -> Tensor:
        """Restores the tile ``center``, int16 [1, 3, h, w] RGB in 64ths of a level; h and w are multiples of 8.

        ``previous``, ``following``: the parts of the neighbors that the flow reaches, int16 [1, 3, any, any].
        ``flow``: float32 [2, 2, h, w], to the previous and to the next frame, in pixels. ``place``: float32 [4, 2],
        rows and columns of: the tile's origin, the frame's size, the origins of the parts of both neighbors.
        Returns float32 [1, 3, h, w] in 64ths of a level, neither clamped nor rounded.
        """
        middle = center.float() / _WHITE
        sampled = [
            _sample(neighbor.float() / _WHITE, flow[side : side + 1], place, origin=2 + side)
            for side, neighbor in enumerate((previous, following))
        ]
        warped = torch.stack([image for image, _ in sampled])
        masks = torch.stack([mask for _, mask in sampled])
        prior = sharpness_prior(middle, warped, masks, self.prior)
        fields = flow.unsqueeze(1)
        restored: Tensor = self.restoration(RestorationInput(middle, warped, masks, prior, fields))
        return restored * _WHITE


def _sample(image: Tensor, flow: Tensor, place: Tensor, origin: int) -> tuple[Tensor, Tensor]:
    """Does what `cascade.network.warp.warp` does with padding "border", for a tile.

    ``image``: the part [1, 3, a, b] of a neighbor whose origin is row ``origin`` of ``place``.
    """
    h, w = flow.shape[-2:]
    rows = torch.arange(h, dtype=torch.float32).view(1, h, 1) + place[0, 0] + flow[:, 1]
    columns = torch.arange(w, dtype=torch.float32).view(1, 1, w) + place[0, 1] + flow[:, 0]
    axes = ((columns, place[1, 1] - 1), (rows, place[1, 0] - 1))
    inside = [F.relu(1 - F.relu(-at) - F.relu(at - last)) for at, last in axes]
    mask = (inside[0] * inside[1] >= _VALID).float().unsqueeze(1)
    a, b = image.shape[-2:]
    x = (torch.minimum(F.relu(columns), axes[0][1]) - place[origin, 1]) * (2 / (b - 1)) - 1
    y = (torch.minimum(F.relu(rows), axes[1][1]) - place[origin, 0]) * (2 / (a - 1)) - 1
    grid = torch.stack((x, y), dim=-1)
    sampled = F.grid_sample(image, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return sampled * mask, mask


def write_parts(cascade: Cascade, directory: Path, opset: int) -> None:
    """Exports both parts of ``cascade`` to ``directory`` with all sizes dynamic, and checks the files."""
    picture = torch.zeros(1, 3, 96, 128, dtype=torch.int16)
    frame = {2: "height", 3: "width"}
    small = torch.zeros(1, 3, 128, 192)
    _write(
        FlowPart(cascade),
        (small, small),
        directory / FLOW_GRAPH,
        {"center": frame, "neighbor": frame, "flow": {2: "flow_height", 3: "flow_width"}},
        opset,
        {DOWNSCALE: str(cascade.config.flow.downscale)},
    )
    place = torch.tensor([[0.0, 0.0], [96.0, 128.0], [0.0, 0.0], [0.0, 0.0]])
    _write(
        RestorationPart(cascade),
        (picture, picture, picture, torch.zeros(2, 2, 96, 128), place),
        directory / RESTORATION_GRAPH,
        {
            "center": frame,
            "previous": {2: "previous_height", 3: "previous_width"},
            "following": {2: "following_height", 3: "following_width"},
            "flow": frame,
            "place": {},
            "restored": frame,
        },
        opset,
        {},
    )


def _write(
    part: nn.Module,
    example: tuple[Tensor, ...],
    path: Path,
    axes: dict[str, dict[int, str]],
    opset: int,
    said: dict[str, str],
) -> None:
    """Exports ``part``; ``axes`` names its inputs and, last, its output, with their dynamic axes.

    ``said``: what the file says beside the graph.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    *inputs, output = axes
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # the exporter announces its own deprecation
        torch.onnx.export(
            part.eval(),
            example,
            str(path),
            input_names=inputs,
            output_names=[output],
            dynamic_axes={name: named for name, named in axes.items() if named},
            opset_version=opset,
            dynamo=False,
        )
    slim = onnxslim.slim(onnx.load(str(path)))
    _put_in_order_of_use(slim.graph)
    onnx.helper.set_model_props(slim, said)
    onnx.save(slim, str(path))
    onnx.checker.check_model(str(path), full_check=True)


def _put_in_order_of_use(graph: onnx.GraphProto) -> None:
    """Orders nodes as ONNX Runtime runs them: each as late as may be, so that few results are held at a time."""
    makers = {name: node for node in graph.node for name in node.output}
    ordered: dict[int, onnx.NodeProto] = {}
    waiting = [makers[output.name] for output in reversed(graph.output)]
    while waiting:
        node = waiting[-1]
        wanted = [makers[name] for name in node.input if name in makers and id(makers[name]) not in ordered]
        if wanted:
            waiting += reversed(wanted)
        else:
            ordered.setdefault(id(node), waiting.pop())
    nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered.values()]
    del graph.node[:]
    graph.node.extend(nodes)
