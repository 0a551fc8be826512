"""Tells what the time of a graph goes to, by kind of operator, in ONNX Runtime and in OpenVINO."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import onnxruntime as ort
import openvino as ov
from openvino import properties
from openvino.properties import hint

from service.inference.bfloat16 import round_convolutions
from service.inference.engine import INPUT, Frames
from service.inference.planes import merge_planes

Shares = dict[str, float]
"""Percent of the time by kind of operator, largest first; what the runtime computes together counts as its first."""

CONVOLUTIONS = "convolutions"
_CONVOLUTIONS = frozenset(
    {"Conv", "FusedConv", "ConvTranspose", "Convolution", "ConvolutionBackpropData", "Deconvolution"}
)
_WARM_UP = 1
_QUIET = 3


def onnxruntime_shares(graph: Path, window: Frames, threads: int, rounds: int) -> Shares:
    """Profiles ``graph`` on the CPU on ``window`` uint8 [T + 4, H, W, 3]."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = _QUIET
    options.enable_profiling = True
    with tempfile.TemporaryDirectory() as folder:
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = ort.InferenceSession(str(graph), sess_options=options, providers=["CPUExecutionProvider"])
        for _ in range(_WARM_UP + rounds):
            session.run(None, {INPUT: window})
        events = json.loads(Path(session.end_profiling()).read_text())
    began = [event["ts"] for event in events if event["name"] == "model_run"][_WARM_UP]
    taken: Counter[str] = Counter()
    for event in events:
        if event["name"].endswith("_kernel_time") and event["ts"] >= began:
            taken[event["args"]["op_name"]] += event["dur"]
    return _shares(taken)


def openvino_shares(graph: Path, window: Frames, threads: int, rounds: int) -> Shares:
    """Profiles ``graph`` as the service's engine runs it: for the size of ``window``, in FP32."""
    return _openvino_shares(graph, window, threads, rounds, rounded=False)


def bfloat16_shares(graph: Path, window: Frames, threads: int, rounds: int) -> Shares:
    """Profiles ``graph`` with convolutions in bfloat16."""
    return _openvino_shares(graph, window, threads, rounds, rounded=True)


def _openvino_shares(graph: Path, window: Frames, threads: int, rounds: int, *, rounded: bool) -> Shares:
    core = ov.Core()
    model = core.read_model(graph)
    if rounded:
        round_convolutions(model)
    model.reshape(list(window.shape))
    merge_planes(model)
    config = {
        hint.inference_precision: ov.Type.dynamic if rounded else ov.Type.f32,
        hint.performance_mode: hint.PerformanceMode.LATENCY,
        properties.inference_num_threads: threads,
        properties.enable_profiling: True,
    }
    request = core.compile_model(model, "CPU", config).create_infer_request()
    taken: Counter[str] = Counter()
    for number in range(_WARM_UP + rounds):
        request.infer({INPUT: window}, share_inputs=True)
        if number >= _WARM_UP:
            for node in request.profiling_info:
                taken[node.node_type] += node.real_time.total_seconds()
    return _shares(taken)


PROFILERS: dict[str, Callable[[Path, Frames, int, int], Shares]] = {
    "onnxruntime": onnxruntime_shares,
    "openvino": openvino_shares,
    "bfloat16": bfloat16_shares,
}


def _shares(taken: Counter[str]) -> Shares:
    total = sum(taken.values())
    kinds: Counter[str] = Counter()
    for name, time in taken.items():
        kinds[CONVOLUTIONS if name in _CONVOLUTIONS else name] += time
    return {kind: 100 * time / total for kind, time in kinds.most_common()}


def table(shares: Shares, least: float = 1.0) -> str:
    """Lists the kinds of operators that take ``least`` percent or more, one line each, and the rest."""
    shown = {kind: share for kind, share in shares.items() if share >= least}
    lines = [f"  {kind:28}{share:5.1f} %" for kind, share in shown.items()]
    return "\n".join([*lines, f"  {'the rest':28}{100 - sum(shown.values()):5.1f} %"])
