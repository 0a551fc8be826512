"""What the convolutions of a graph take by themselves, and what the device reaches in one that suits it.

A runtime's own profile tells when kernels of a GPU were launched, not how long they ran. So every convolution of the
graph runs alone, with its real shapes and random numbers; those that are alike run once and count as often as they are.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from service.inference.devices.fixed_session import FixedSession, Graph, SessionSettings, open_session
from service.inference.devices.memory import Shape
from service.inference.devices.offers import GRAPHS, Offer, processor
from service.inference.devices.runtime import ort

KINDS = ("Conv", "ConvTranspose")
PEAK = (8, 128, 180, 320)
"""The input of a convolution of 3x3 between as many channels, which keeps all of a large GPU busy."""
_TYPES: dict[int, type[np.generic]] = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16}


@dataclass(frozen=True)
class Convolution:
    """One operation with the shapes that it has in a graph."""

    kind: str
    source: Shape
    """[N, C, H, W]."""
    weights: Shape
    target: Shape
    dtype: int
    attributes: tuple[bytes, ...]

    @property
    def operations(self) -> int:
        """Multiplications and additions: each value of one side meets the weights of its group once."""
        outer = self.target if self.kind == "Conv" else self.source
        return 2 * int(np.prod(outer)) * int(np.prod(self.weights[1:]))

    def model(self) -> onnx.ModelProto:
        """Returns a graph of this operation alone."""
        attributes = [onnx.AttributeProto.FromString(one) for one in self.attributes]
        numbers = np.random.default_rng(0).normal(0, 0.1, self.weights).astype(_TYPES[self.dtype])
        node = helper.make_node(self.kind, ["x", "w"], ["y"])
        node.attribute.extend(attributes)
        body = helper.make_graph(
            [node],
            "convolution",
            [helper.make_tensor_value_info("x", self.dtype, self.source)],
            [helper.make_tensor_value_info("y", self.dtype, self.target)],
            [numpy_helper.from_array(numbers, "w")],
        )
        return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def peak(dtype: int) -> Convolution:
    """Returns a convolution that a device computes as fast as it can."""
    channels = PEAK[1]
    pads = helper.make_attribute("pads", [1, 1, 1, 1]).SerializeToString()
    return Convolution("Conv", PEAK, (channels, channels, 3, 3), PEAK, dtype, (pads,))


def convolutions(graph: Graph, shape: Shape, dtype: int, folder: Path) -> Counter[Convolution]:
    """Returns the convolutions of a FP32 graph for windows of ``shape``, in another precision, and how many of each."""
    path = folder / "fixed.onnx"
    FixedSession(graph, shape, processor(), settings=SessionSettings(optimized=path, basic=True))
    model = onnx.shape_inference.infer_shapes(onnx.load(path))
    values = {one.name: one.type.tensor_type for one in (*model.graph.value_info, *model.graph.output)}
    weights = {one.name: tuple(one.dims) for one in model.graph.initializer}
    return Counter(
        Convolution(
            node.op_type,
            _shape(values[node.input[0]]),
            weights[node.input[1]],
            _shape(values[node.output[0]]),
            dtype,
            tuple(sorted(one.SerializeToString() for one in node.attribute)),
        )
        for node in model.graph.node
        if node.op_type in KINDS
    )


def seconds(convolution: Convolution, offer: Offer, rounds: int) -> float:
    """Returns the median time of one run, with its input and output in the device's memory."""
    device = "cuda" if offer.on_gpu_memory else "cpu"
    options = {**offer.options, GRAPHS: "0"} if offer.on_gpu_memory else offer.options
    session = open_session(convolution.model().SerializeToString(), offer, ort.SessionOptions(), options)
    numbers = np.zeros(convolution.source, _TYPES[convolution.dtype])
    binding = session.io_binding()
    source = ort.OrtValue.ortvalue_from_numpy(numbers, device, offer.device.index or 0)
    binding.bind_ortvalue_input("x", source)
    binding.bind_output("y", device, offer.device.index or 0)
    return timed(lambda: session.run_with_iobinding(binding), rounds)


def timed(run: Callable[[], object], rounds: int) -> float:
    """Returns the median seconds of ``run``, after one in which kernels are chosen."""
    run()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return median(taken)


def _shape(tensor: onnx.TypeProto.Tensor) -> Shape:
    return tuple(one.dim_value for one in tensor.shape.dim)
