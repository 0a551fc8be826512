"""The engine in our own process: ONNX Runtime on the model repository's graph."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

# Read at import: builds from 1.29 on report to their maker unless told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

from service.errors import EngineError, EngineUnavailable, InferenceFailed, JobCanceled, ModelNotFound
from service.inference.engine import INPUT, OUTPUT, Frames, Stopped, check_window, checked_result, never

_DTYPE = "tensor(uint8)"
_CHANNELS = 3
_QUIET = 3
"""Errors only: warnings about constant folding belong to the exporter."""


class OnnxEngine:
    """Serves one model; implements ``DeblurEngine``."""

    def __init__(
        self, model_dir: Path, *, threads: int | None = None, providers: Sequence[str] | None = None
    ) -> None:
        """Load ``model_dir/1/model.onnx``.

        ``threads``: of one call; None leaves it to ONNX Runtime (one per core). ``providers``: in order of
        preference; None takes the CPU. Raises ModelNotFound without a graph, EngineError for one that does
        not load or has another signature than frames uint8 [N,H,W,3] -> restored uint8 [N,H,W,3].
        """
        path = model_dir / "1" / "model.onnx"
        if not path.is_file():
            raise ModelNotFound(
                f"There is no model {model_dir.name!r}: {model_dir.name}/1/model.onnx is missing."
            )
        self._session: Any = _load(path, _options(threads), list(providers or ["CPUExecutionProvider"]))
        _check_signature(self._session, model_dir.name)
        # One window keeps every core busy; a second beside it is no faster and takes its memory again (2.8 GB
        # against 5.5 GB at 720p).
        self._one_at_a_time = threading.Lock()

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        check_window(window)
        with self._one_at_a_time:
            if stopped():
                raise JobCanceled("The window was not wanted any more when its turn came.")
            return checked_result(self._run(window), window)

    def close(self) -> None:
        self._session = None

    def _run(self, window: Frames) -> Frames:
        session = self._session
        if session is None:
            raise EngineUnavailable("The engine was closed.")
        try:
            (restored,) = session.run([OUTPUT], {INPUT: np.ascontiguousarray(window)})
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise InferenceFailed(
                f"ONNX Runtime failed on a window of {list(window.shape)}: {error}"
            ) from error
        frames: Frames = restored
        return frames


def _options(threads: int | None) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.log_severity_level = _QUIET
    if threads is not None:
        options.intra_op_num_threads = threads
    return options


def _load(path: Path, options: ort.SessionOptions, providers: list[str]) -> ort.InferenceSession:
    try:
        return ort.InferenceSession(str(path), sess_options=options, providers=providers)
    except Exception as error:  # as above
        raise EngineError(f"The model {path.parent.parent.name!r} does not load: {error}") from error


def _check_signature(session: ort.InferenceSession, name: str) -> None:
    for side, tensors, wanted in (
        ("input", session.get_inputs(), INPUT),
        ("output", session.get_outputs(), OUTPUT),
    ):
        found = [(tensor.name, tensor.type, tensor.shape) for tensor in tensors]
        fits = len(found) == 1 and found[0][:2] == (wanted, _DTYPE) and _is_frames(found[0][2])
        if not fits:
            raise EngineError(
                f"The model {name!r} has another {side} than {wanted}: {_DTYPE} [N, H, W, 3]; found {found}."
            )


def _is_frames(shape: Sequence[int | str | None] | None) -> bool:
    """Four dimensions of which the last is, or may be, 3; the others are free."""
    return shape is not None and len(shape) == 4 and (shape[3] == _CHANNELS or not isinstance(shape[3], int))
