"""Runs the parts of a model with ONNX Runtime in this process."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from service.errors.engine import EngineUnavailable, ModelNotFound
from service.inference.local import does_not_load, failure
from service.inference.onnx import returning_memory
from service.inference.tiled.parts import (
    DOWNSCALE,
    FLOW_GRAPH,
    RESTORATION_GRAPH,
    Flow,
    Levels,
    Small,
)

_RUNTIME = "ONNX Runtime"
_QUIET = 3
"""The level that logs errors only."""


class OnnxParts:
    """Runs the parts of one model on the CPU. Implements ``Parts``; runs of several threads take turns."""

    def __init__(self, model_dir: Path, *, threads: int | None = None) -> None:
        """Loads ``model_dir/1/flow.onnx`` and ``restoration.onnx``. Raises ModelNotFound and EngineError."""
        flow = _load(model_dir, FLOW_GRAPH, threads)
        self._downscale = _downscale(flow, model_dir.name)
        self._flow: ort.InferenceSession | None = flow
        self._restoration: ort.InferenceSession | None = _load(model_dir, RESTORATION_GRAPH, threads)
        self._one_at_a_time = threading.Lock()

    @property
    def downscale(self) -> int:
        return self._downscale

    def flow(self, center: Small, neighbor: Small, /) -> Flow:
        return self._run(self._flow, {"center": center[None], "neighbor": neighbor[None]}, keep=False)

    def restored(
        self,
        center: Levels,
        previous: Levels,
        following: Levels,
        flow: NDArray[np.float32],
        place: NDArray[np.float32],
        /,
        *,
        keep: bool,
    ) -> NDArray[np.float32]:
        pictures = {"center": center[None], "previous": previous[None], "following": following[None]}
        return self._run(self._restoration, {**pictures, "flow": flow, "place": place}, keep=keep)

    def close(self) -> None:
        self._flow = self._restoration = None

    def _run(
        self, session: ort.InferenceSession | None, inputs: dict[str, NDArray[Any]], *, keep: bool
    ) -> NDArray[np.float32]:
        if session is None:
            raise EngineUnavailable("The engine was closed.")
        try:
            with self._one_at_a_time:
                result: NDArray[np.float32] = session.run(None, inputs, None if keep else returning_memory())[
                    0
                ][0]
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            height, width = inputs["center"].shape[2:]
            raise failure(_RUNTIME, f"{width} x {height} pixels", error) from error
        return result


def _downscale(flow: ort.InferenceSession, model: str) -> int:
    said = flow.get_modelmeta().custom_metadata_map.get(DOWNSCALE, "")
    if not said.isdecimal():
        raise does_not_load(
            model, ValueError(f"1/{FLOW_GRAPH} does not say its {DOWNSCALE}; export the model again")
        )
    return int(said)


def _load(model_dir: Path, name: str, threads: int | None) -> ort.InferenceSession:
    path = model_dir / "1" / name
    if not path.is_file():
        raise ModelNotFound(f"The model {model_dir.name!r} has no parts for tiles: 1/{name} is missing.")
    options = ort.SessionOptions()
    options.log_severity_level = _QUIET
    options.enable_mem_pattern = False  # A pattern is room for all tensors beside that of the first run.
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return ort.InferenceSession(str(path), sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise does_not_load(model_dir.name, error) from error
