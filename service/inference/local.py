"""Runs engines in this process: finds the graph, checks its tensors, takes one window at a time and wraps errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from service.errors.engine import EngineError, EngineUnavailable, InferenceFailed, ModelNotFound, OutOfMemory
from service.errors.job import JobCanceled
from service.inference.engine import INPUT, OUTPUT, Frames, Stopped, check_window, checked_result, never

_DTYPE = "uint8"
_CHANNELS = 3
_NO_MEMORY = re.compile(
    r"bad_alloc|failed to allocate memory|out of memory|not enough memory|cannot allocate", re.IGNORECASE
)
"""What ONNX Runtime, its providers and OpenVINO say when there is none left."""

Tensor = tuple[str, str, Sequence[int | str | None]]
"""Name, type and shape; a size that is not fixed is a name or None."""


class LocalEngine:
    """Calls a runtime in this process. Implements ``DeblurEngine``."""

    def __init__(self, runtime: str, infer: Callable[[Frames], Frames]) -> None:
        """``runtime``: its name in messages. ``infer``: takes contiguous windows and may raise anything."""
        self._runtime = runtime
        self._infer: Callable[[Frames], Frames] | None = infer
        # One window keeps every core busy; a second beside it is no faster and takes its memory again (2.8 GB
        # against 5.5 GB at 720p).
        self._one_at_a_time = threading.Lock()

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        check_window(window)
        with self._one_at_a_time:
            if stopped():
                raise JobCanceled("Nobody waited for the window any more when its turn came.")
            return checked_result(self._run(window), window)

    def close(self) -> None:
        self._infer = None

    def _run(self, window: Frames) -> Frames:
        infer = self._infer
        if infer is None:
            raise EngineUnavailable("The engine was closed.")
        try:
            return infer(np.ascontiguousarray(window))
        except Exception as error:  # runtimes' exceptions share no base of their own
            raise failure(self._runtime, f"a window of {list(window.shape)}", error) from error


def graph_file(model_dir: Path) -> Path:
    """Returns the path ``model_dir/1/model.onnx``. Raises ModelNotFound where there is no such file."""
    path = model_dir / "1" / "model.onnx"
    if not path.is_file():
        raise ModelNotFound(
            f"There is no model {model_dir.name!r}: {model_dir.name}/1/model.onnx is missing."
        )
    return path


def check_signature(name: str, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    """Raises EngineError unless the model ``name`` has frames uint8 [N,H,W,3] -> restored uint8 [N,H,W,3]."""
    for side, found, wanted in (("input", inputs, INPUT), ("output", outputs, OUTPUT)):
        if len(found) != 1 or found[0][:2] != (wanted, _DTYPE) or not _is_frames(found[0][2]):
            raise EngineError(
                f"The model {name!r} has another {side} than {wanted}: {_DTYPE} [N, H, W, 3]; found {[*found]}."
            )


def failure(runtime: str, work: str, error: Exception) -> InferenceFailed:
    """Returns the error of a runtime that failed on ``work``: OutOfMemory where that was the reason."""
    wanting = isinstance(error, MemoryError) or _NO_MEMORY.search(str(error))
    return (OutOfMemory if wanting else InferenceFailed)(f"{runtime} failed on {work}: {error}")


def does_not_load(name: str, error: Exception) -> EngineError:
    """Returns the error of a graph that the runtime refuses."""
    return EngineError(f"The model {name!r} does not load: {error}")


def _is_frames(shape: Sequence[int | str | None]) -> bool:
    """Returns whether a shape has four dimensions of which the last is, or may be, 3."""
    return len(shape) == 4 and (shape[3] == _CHANNELS or not isinstance(shape[3], int))
