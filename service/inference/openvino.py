"""Runs a model with OpenVINO in this process, on CPU nodes.

OpenVINO adds numbers in another order than ONNX Runtime, so a few pixels in ten thousand differ by a level or more:
where a sample lies just at the edge of a frame, the two may disagree whether it is inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import openvino as ov
from openvino import properties
from openvino.properties import hint

from service.inference.engine import INPUT, OUTPUT, Frames
from service.inference.local import LocalEngine, Tensor, check_signature, does_not_load, graph_file

_TYPES = {"u8": "uint8"}


class OpenVinoEngine(LocalEngine):
    """Serves one model. Implements ``DeblurEngine``."""

    def __init__(self, model_dir: Path, *, threads: int | None = None) -> None:
        """Loads ``model_dir/1/model.onnx`` with all sizes dynamic; the first window of a size takes longer.

        ``threads``: of one call; None leaves the number to OpenVINO (one per core). Raises ModelNotFound without a
        graph, EngineError for one that does not load or has another signature than `OnnxEngine` takes.
        """
        model = _compile(graph_file(model_dir), threads)
        check_signature(model_dir.name, _tensors(model.inputs), _tensors(model.outputs))
        request = model.create_infer_request()

        def infer(window: Frames) -> Frames:
            restored: Frames = request.infer({INPUT: window}, share_inputs=True)[OUTPUT]
            return restored

        super().__init__("OpenVINO", infer)


def _compile(path: Path, threads: int | None) -> ov.CompiledModel:
    config = {
        # Processors with bfloat16 units would use them by default.
        hint.inference_precision: ov.Type.f32,
        hint.performance_mode: hint.PerformanceMode.LATENCY,
    }
    if threads is not None:
        config[properties.inference_num_threads] = threads
    try:
        return ov.Core().compile_model(path, "CPU", config)
    except Exception as error:  # RuntimeError without more, or the parser's own
        raise does_not_load(path.parents[1].name, error) from error


def _tensors(ports: Sequence[ov.ConstOutput]) -> list[Tensor]:
    return [(port.any_name, _type(port), _shape(port)) for port in ports]


def _type(port: ov.ConstOutput) -> str:
    name: str = port.element_type.get_type_name()
    return _TYPES.get(name, name)


def _shape(port: ov.ConstOutput) -> list[int | None]:
    return [size.get_length() if size.is_static else None for size in port.partial_shape]
