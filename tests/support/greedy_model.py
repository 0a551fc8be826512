"""A model that wants more memory for every output frame of a window but the first than a machine, or a test, has."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.support.graphs import graph
from tests.support.models import write_model

MORE_THAN_ADDRESSES = 1 << 49
"""Bytes that no process can address, whatever the machine lends it."""
_NUMBER = 4
"""Bytes of one."""


def write_greedy_model(
    repository: Path, name: str, frame: int = 100, context: int = 400, wanted: int = MORE_THAN_ADDRESSES
) -> Path:
    """A model that returns its inner frames unchanged; its card says what windows take, in bytes per pixel.

    ``wanted``: bytes that it really asks for at once, for every output frame of a window but the first.
    """
    directory = write_model(repository, name)
    path = directory / "1" / "model.onnx"
    onnx.save(_graph(wanted // _NUMBER), path)
    card = json.loads((directory / "model.json").read_text())
    card |= {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "memory": {"frame": frame, "context": context},
    }
    (directory / "model.json").write_text(json.dumps(card))
    return directory


def _graph(numbers: int) -> onnx.ModelProto:
    constants = {
        "two": np.array([2], np.int64),
        "minus_two": np.array([-2], np.int64),
        "axis": np.array([0], np.int64),
        "shortest": np.array([5], np.int64),
        "each": np.array([numbers], np.int64),
        "one": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Slice", ["frames", "two", "minus_two", "axis"], ["inner"]),
        helper.make_node("Shape", ["frames"], ["count"], start=0, end=1),
        helper.make_node("Sub", ["count", "shortest"], ["beyond"]),
        helper.make_node("Mul", ["beyond", "each"], ["numbers"]),
        helper.make_node("Add", ["numbers", "one"], ["size"]),
        helper.make_node("Cast", ["inner"], ["reals"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMax", ["reals"], ["largest"], keepdims=0),
        helper.make_node("Expand", ["largest", "size"], ["many"]),
        helper.make_node("ReduceMax", ["many"], ["most"], keepdims=0),
        helper.make_node("Min", ["reals", "most"], ["kept"]),
        helper.make_node("Cast", ["kept"], ["restored"], to=TensorProto.UINT8),
    ]
    return graph(nodes, constants)
