"""Writes the graph as ONNX."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path

import onnx
import onnxslim
import torch

from cascade.network.cascade import Cascade
from export.graph import WindowGraph

INPUT, OUTPUT = "frames", "restored"
_EXAMPLE = (7, 96, 128, 3)  # any size serves: all three are dynamic


def write_onnx(cascade: Cascade, path: Path, opset: int) -> None:
    """Exports ``cascade`` to ``path`` with T, H and W dynamic, and checks the file.

    The TorchScript exporter is used because it writes opset 17 itself; the newer one writes 18 or more, and from
    opset 20 on GridSample's mode is called "linear", which TensorRT's parser reads as nearest.
    """
    graph = WindowGraph(cascade).eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        # It announces its own deprecation, and each slice that it does not fold into a constant.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            (torch.zeros(_EXAMPLE, dtype=torch.uint8),),
            str(path),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={
                INPUT: {0: "window", 1: "height", 2: "width"},
                OUTPUT: {0: "restored_frames", 1: "height", 2: "width"},
            },
            opset_version=opset,
            dynamo=False,
        )
    _tidy(path)
    onnx.checker.check_model(str(path), full_check=True)


def _tidy(path: Path) -> None:
    """Folds and merges what the exporter repeats (two nodes of three), and states that the output has three channels.

    The exporter loses the latter; Triton wants graph and configuration to agree.
    """
    model: onnx.ModelProto = onnxslim.slim(onnx.load(str(path)))
    model.graph.output[0].type.tensor_type.shape.dim[3].dim_value = _EXAMPLE[3]
    onnx.save(model, str(path))
