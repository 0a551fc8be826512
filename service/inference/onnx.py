"""Runs a model with ONNX Runtime in this process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

# Read at import: builds from 1.29 on send usage data to their maker unless this is set.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

from service.inference.engine import INPUT, OUTPUT, Frames
from service.inference.local import LocalEngine, Tensor, check_signature, does_not_load, graph_file

_QUIET = 3
"""The level that logs errors only: warnings about constant folding concern the exporter."""


class OnnxEngine(LocalEngine):
    """Serves one model. Implements ``DeblurEngine``."""

    def __init__(
        self, model_dir: Path, *, threads: int | None = None, providers: Sequence[str] | None = None
    ) -> None:
        """Loads ``model_dir/1/model.onnx``.

        ``threads``: of one call; None leaves the number to ONNX Runtime (one per core). ``providers``: in order of
        preference; None takes the CPU. Raises ModelNotFound without a graph, EngineError for one that does
        not load or has another signature than frames uint8 [N,H,W,3] -> restored uint8 [N,H,W,3].
        """
        session = _load(graph_file(model_dir), threads, [*(providers or ["CPUExecutionProvider"])])
        check_signature(model_dir.name, _tensors(session.get_inputs()), _tensors(session.get_outputs()))

        def infer(window: Frames) -> Frames:
            restored: Frames = session.run([OUTPUT], {INPUT: window}, returning_memory())[0]
            return restored

        super().__init__("ONNX Runtime", infer)


def returning_memory() -> ort.RunOptions:
    """Returns options of a run after which its memory is free for others; that costs no time that could be measured."""
    options = ort.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _load(path: Path, threads: int | None, providers: list[str]) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.log_severity_level = _QUIET
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return ort.InferenceSession(str(path), sess_options=options, providers=providers)
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise does_not_load(path.parents[1].name, error) from error


def _tensors(nodes: Sequence[ort.NodeArg]) -> list[Tensor]:
    return [(node.name, node.type.removeprefix("tensor(").removesuffix(")"), node.shape) for node in nodes]
