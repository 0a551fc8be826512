"""Tiny ONNX graphs with the signature of the real model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_SHAPE = ["N", "H", "W", 3]
_OPSET = 17
_CONFIG = """\
backend: "onnxruntime"
max_batch_size: 0
input [ { name: "frames", data_type: TYPE_UINT8, dims: [ -1, -1, -1, 3 ] } ]
output [ { name: "restored", data_type: TYPE_UINT8, dims: [ -1, -1, -1, 3 ] } ]
instance_group [ { count: 1, kind: KIND_CPU } ]
"""


def graph(
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    dtype: int = TensorProto.UINT8,
    output: str = "restored",
) -> onnx.ModelProto:
    """A model ``frames`` [N,H,W,3] -> ``output`` [T,H,W,3]."""
    body = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("frames", dtype, _SHAPE)],
        [helper.make_tensor_value_info(output, dtype, ["T", "H", "W", 3])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)


def _slice(start: int, stop: int, into: str) -> tuple[onnx.NodeProto, dict[str, np.ndarray]]:
    names = {f"{into}_start": start, f"{into}_stop": stop, f"{into}_axis": 0}
    constants = {name: np.array([value], np.int64) for name, value in names.items()}
    return helper.make_node("Slice", ["frames", *names], [into]), constants


def identity_graph(output: str = "restored") -> onnx.ModelProto:
    """The inner frames as they are."""
    node, constants = _slice(2, -2, output)
    return graph([node], constants, output=output)


def averaging_graph() -> onnx.ModelProto:
    """Each inner frame as the mean of itself and its four neighbors."""
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, np.ndarray] = {}
    for offset in range(5):
        stop = offset - 4 if offset < 4 else np.iinfo(np.int64).max
        node, more = _slice(offset, stop, f"part{offset}")
        nodes += [node, helper.make_node("Cast", [f"part{offset}"], [f"float{offset}"], to=TensorProto.FLOAT)]
        constants |= more
    nodes += [
        helper.make_node("Mean", [f"float{offset}" for offset in range(5)], ["mean"]),
        helper.make_node("Round", ["mean"], ["rounded"]),
        helper.make_node("Cast", ["rounded"], ["restored"], to=TensorProto.UINT8),
    ]
    return graph(nodes, constants)


def following_graph() -> onnx.ModelProto:
    """The frame after each inner frame: backwards in time it gives the frame before."""
    node, constants = _slice(3, -1, "restored")
    return graph([node], constants)


def dark_graph() -> onnx.ModelProto:
    """The inner frames as they are, and an error for windows with a value of 200 or more."""
    node, constants = _slice(2, -2, "inner")
    constants["zeros"] = np.zeros(200, np.int32)
    nodes = [
        node,
        helper.make_node("Cast", ["inner"], ["numbers"], to=TensorProto.INT32),
        helper.make_node("ReduceMax", ["numbers"], ["brightest"], keepdims=0),
        helper.make_node("Gather", ["zeros", "brightest"], ["nothing"]),
        helper.make_node("Add", ["numbers", "nothing"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["restored"], to=TensorProto.UINT8),
    ]
    return graph(nodes, constants)


def outer_graph() -> onnx.ModelProto:
    """All frames, so four too many."""
    return graph([helper.make_node("Identity", ["frames"], ["restored"])], {})


def float_graph() -> onnx.ModelProto:
    """The right names with another type."""
    node, constants = _slice(2, -2, "restored")
    return graph([node], constants, dtype=TensorProto.FLOAT)


def write_model(folder: Path, model: onnx.ModelProto, name: str = "tiny") -> Path:
    """Lay ``model`` out as the model repository does, and return the model's directory."""
    directory = folder / name
    (directory / "1").mkdir(parents=True)
    onnx.checker.check_model(model)
    onnx.save(model, directory / "1" / "model.onnx")
    write_config(directory)
    return directory


def write_config(directory: Path) -> None:
    """The least that Triton wants to know of a model in ``directory``."""
    (directory / "config.pbtxt").write_text(_CONFIG)
