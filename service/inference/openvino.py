"""Runs a model with OpenVINO in this process, on CPU nodes.

OpenVINO adds numbers in another order than ONNX Runtime, so a few pixels in ten thousand differ by a level or more:
where a sample lies just at the edge of a frame, the two may disagree whether it is inside. In bfloat16, where the
processor has it, values differ by a third of a level on average.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from math import prod
from pathlib import Path

import openvino as ov
from openvino import properties
from openvino.properties import hint

from service.inference.bfloat16 import round_convolutions
from service.inference.engine import INPUT, OUTPUT, Frames
from service.inference.local import LocalEngine, Tensor, check_signature, does_not_load, graph_file
from service.inference.planes import merge_planes

_TYPES = {"u8": "uint8"}
_KEPT_PIXELS = 4_000_000
"""Pixels of all windows whose shapes are kept compiled, at about 250 bytes each: of small videos the long window and
the shorter one at a segment's end. Larger ones take so much longer than compiling that only the last shape is kept,
with the memory of one window."""


class OpenVinoEngine(LocalEngine):
    """Serves one model. Implements ``DeblurEngine``."""

    def __init__(self, model_dir: Path, *, threads: int | None = None, bfloat16: bool = False) -> None:
        """Loads ``model_dir/1/model.onnx``; the first window of a size takes longer, because it is compiled for it.

        Known sizes are 1.1 to 1.2 times as fast as dynamic ones. ``threads``: of one call; None leaves the number to
        OpenVINO (one per core). ``bfloat16``: of the convolutions, see `service.inference.bfloat16`. Raises
        ModelNotFound without a graph, EngineError for one that does not load or has another signature than
        `OnnxEngine` takes.
        """
        path = graph_file(model_dir)
        compiled = _Compiled(path, threads, bfloat16)
        model = compiled.model
        check_signature(model_dir.name, _tensors(model.inputs), _tensors(model.outputs))

        def infer(window: Frames) -> Frames:
            request = compiled.request(window.shape)
            restored: Frames = request.infer({INPUT: window}, share_inputs=True)[OUTPUT]
            return restored

        super().__init__("OpenVINO", infer)


class _Compiled:
    """Compiles a model for the shapes of windows that it meets, and keeps the latest ones."""

    def __init__(self, path: Path, threads: int | None, bfloat16: bool) -> None:
        """Raises EngineError for a graph that does not load."""
        self._core = ov.Core()
        self._config = {
            # Processors with bfloat16 units would use them for everything; dynamic keeps the types of the graph.
            hint.inference_precision: ov.Type.dynamic if bfloat16 else ov.Type.f32,
            hint.performance_mode: hint.PerformanceMode.LATENCY,
        }
        if threads is not None:
            self._config[properties.inference_num_threads] = threads
        self._requests: OrderedDict[tuple[int, ...], ov.InferRequest] = OrderedDict()
        try:
            self.model = self._core.read_model(path)
            if bfloat16:
                round_convolutions(self.model)
        except Exception as error:  # RuntimeError without more, or the parser's own
            raise does_not_load(path.parents[1].name, error) from error

    def request(self, shape: tuple[int, ...]) -> ov.InferRequest:
        """Returns what restores windows of ``shape``. Called by one thread at a time."""
        if shape not in self._requests:
            while self._requests and sum(map(_pixels, (*self._requests, shape))) > _KEPT_PIXELS:
                self._requests.popitem(last=False)
            model = self.model.clone()
            model.reshape(list(shape))
            merge_planes(model)
            compiled = self._core.compile_model(model, "CPU", self._config)
            self._requests[shape] = compiled.create_infer_request()
        self._requests.move_to_end(shape)
        return self._requests[shape]


def _pixels(shape: tuple[int, ...]) -> int:
    return prod(shape[:3])


def _tensors(ports: Sequence[ov.ConstOutput]) -> list[Tensor]:
    return [(port.any_name, _type(port), _shape(port)) for port in ports]


def _type(port: ov.ConstOutput) -> str:
    name: str = port.element_type.get_type_name()
    return _TYPES.get(name, name)


def _shape(port: ov.ConstOutput) -> list[int | None]:
    return [size.get_length() if size.is_static else None for size in port.partial_shape]
