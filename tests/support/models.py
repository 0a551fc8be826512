"""Model repositories for tests: graphs with the signature of the shipped ones, that do next to nothing, or do
it slowly.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from tests.support.graphs import write_config

MATRIX_SIDE = 512
"""A product of two such matrices takes about 10 ms on one core."""


def write_model(repository: Path, name: str, products: int = 0) -> Path:
    """A model that returns its inner frames unchanged, after ``products`` matrix products per call."""
    directory = repository / name
    graph_file = directory / "1" / "model.onnx"
    graph_file.parent.mkdir(parents=True)
    onnx.save(_model(products), graph_file)
    card = {
        "name": name,
        "preset": "lite",
        "stages": 2,
        "precision": "fp32",
        "opset": 17,
        "parameters": 0,
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(graph_file.read_bytes()).hexdigest(),
        "description": "for tests: returns its inner frames",
    }
    (directory / "model.json").write_text(json.dumps(card))
    write_config(directory)
    return directory


def _model(products: int) -> onnx.ModelProto:
    frames = helper.make_tensor_value_info("frames", TensorProto.UINT8, ["T4", "H", "W", 3])
    restored = helper.make_tensor_value_info("restored", TensorProto.UINT8, ["T", "H", "W", 3])
    constants = {"two": [2], "minus_two": [-2], "first_axis": [0]}
    initializers = [
        helper.make_tensor(name, TensorProto.INT64, [1], value) for name, value in constants.items()
    ]
    inner = helper.make_node("Slice", ["frames", "two", "minus_two", "first_axis"], ["inner"])
    nodes = [inner, *_delay(products, initializers)]
    graph = helper.make_graph(nodes, "inner_frames", [frames], [restored], initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def _delay(products: int, initializers: list[onnx.TensorProto]) -> list[onnx.NodeProto]:
    """Nodes from ``inner`` to ``restored`` that multiply zeros which depend on the input, and add one of them."""
    if products == 0:
        return [helper.make_node("Identity", ["inner"], ["restored"])]
    initializers += [
        helper.make_tensor("side", TensorProto.INT64, [2], [MATRIX_SIDE, MATRIX_SIDE]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
    ]
    chain = [
        helper.make_node("MatMul", [f"product_{step}", "product_0"], [f"product_{step + 1}"])
        for step in range(products)
    ]
    return [
        helper.make_node("Cast", ["inner"], ["numbers"], to=TensorProto.INT32),
        helper.make_node("Cast", ["inner"], ["reals"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["reals"], ["largest"], keepdims=0),
        helper.make_node("Mul", ["largest", "zero"], ["nothing"]),
        helper.make_node("Expand", ["nothing", "side"], ["product_0"]),
        *chain,
        helper.make_node("ReduceMax", [f"product_{products}"], ["still_nothing"], keepdims=0),
        helper.make_node("Cast", ["still_nothing"], ["offset"], to=TensorProto.INT32),
        helper.make_node("Add", ["numbers", "offset"], ["sum"]),
        helper.make_node("Cast", ["sum"], ["restored"], to=TensorProto.UINT8),
    ]
