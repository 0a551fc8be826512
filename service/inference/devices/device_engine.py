"""Restores windows on one device by ONNX Runtime: a session per size, and two windows on their way at a time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from service.errors.base import ServiceError
from service.errors.engine import EngineUnavailable
from service.errors.job import JobCanceled
from service.inference.devices.fixed_session import FixedSession, Graph, Lane
from service.inference.devices.memory import Shape
from service.inference.devices.offers import Offer
from service.inference.devices.runtime import QUIET, ort
from service.inference.devices.sharing import SharedLock
from service.inference.engine import Frames, Stopped, check_window, checked_result, never
from service.inference.local import Tensor, check_signature, does_not_load, failure
from service.types import CONTEXT_FRAMES

_USE = SharedLock()
"""Held together by who copies or computes, alone by who makes or drops a session: while CUDA captures a graph, no other
thread of the process may copy, allocate or free."""
_SIZES = 2
"""Sessions that are kept, each of which holds the memory of a window: the last sizes of frames that came."""


class DeviceEngine:
    """Serves one graph on one device. Implements ``DeblurEngine``.

    One window is computed at a time, in a thread of its own, to which captured graphs belong; meanwhile another caller
    copies its frames to the device or back.
    """

    def __init__(self, graph: Path, offer: Offer, lanes: int = 2) -> None:
        """Reads ``<model>/1/<graph>``. ``lanes``: windows that are on their way at a time.

        Raises EngineError for a graph that does not load or has another signature than `OnnxEngine` takes. The
        device is first used when a window comes.
        """
        self._graph = read_graph(graph)
        self._offer = offer
        self._lanes = lanes
        self._sessions: dict[tuple[int, ...], FixedSession] = {}
        self._looking = threading.Lock()
        self._thread: ThreadPoolExecutor | None = ThreadPoolExecutor(1, thread_name_prefix="device")

    def restore(self, window: Frames, stopped: Stopped = never, /) -> Frames:
        """Restores a window; one that is shorter than others of its size is computed at their length.

        Raises DeviceUnavailable beside what `DeblurEngine` names, when the device cannot be used.
        """
        check_window(window)
        thread = self._thread
        if thread is None:
            raise EngineUnavailable("The engine was closed.")
        try:
            restored = self._restore(thread, window, stopped)
        except ServiceError:
            raise
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise failure(str(self._offer.device), f"a window of {list(window.shape)}", error) from error
        return checked_result(restored, window)

    def close(self) -> None:
        """Waits for the window in work."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown(wait=True)
        with _USE.alone():
            self._sessions.clear()

    def _restore(self, thread: ThreadPoolExecutor, window: Frames, stopped: Stopped) -> Frames:
        session = self._session(thread, window.shape)
        with _USE.shared():
            try:
                with session.lane() as lane:
                    lane.source.write(lengthened(window, session.shape[0]))
                    thread.submit(_run, lane, stopped).result()
                    return lane.target.read()[: window.shape[0] - CONTEXT_FRAMES]
            finally:
                del session  # which may be the last to hold it

    def _session(self, thread: ThreadPoolExecutor, shape: Shape) -> FixedSession:
        """Returns the session for frames of this size, made anew for a window that is longer than those before."""
        with self._looking:
            size = shape[1:]
            if size not in self._sessions or self._sessions[size].shape[0] < shape[0]:
                with _USE.alone():
                    self._sessions.pop(size, None)  # its memory is free before more is taken
                    if len(self._sessions) == _SIZES:
                        del self._sessions[next(iter(self._sessions))]
                    made = thread.submit(FixedSession, self._graph, shape, self._offer, self._lanes)
                    self._sessions[size] = made.result()
                    del made
            self._sessions[size] = session = self._sessions.pop(size)  # the last one used
            return session


def lengthened(window: Frames, length: int) -> Frames:
    """Returns ``window`` with its last frame repeated up to ``length`` frames, contiguous in memory.

    Frames see two neighbors on each side, so what is restored of the window itself stays as it was.
    """
    missing = length - window.shape[0]
    if missing == 0:
        return np.ascontiguousarray(window)
    return np.concatenate([window, np.repeat(window[-1:], missing, axis=0)])


def read_graph(path: Path) -> Graph:
    """Reads the names of a graph's open sizes. Raises EngineError unless it takes and gives frames."""
    name = path.parents[1].name
    options = ort.SessionOptions()
    options.log_severity_level = QUIET
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise does_not_load(name, error) from error
    inputs, outputs = _tensors(session.get_inputs()), _tensors(session.get_outputs())
    check_signature(name, inputs, outputs)
    return Graph(path, _names(inputs[0]), _names(outputs[0]))


def _run(lane: Lane, stopped: Stopped) -> None:
    if stopped():
        raise JobCanceled("Nobody waited for the window any more when its turn came.")
    lane.run()


def _tensors(nodes: list[ort.NodeArg]) -> list[Tensor]:
    return [(node.name, node.type.removeprefix("tensor(").removesuffix(")"), node.shape) for node in nodes]


def _names(tensor: Tensor) -> tuple[str | None, ...]:
    return tuple(size if isinstance(size, str) else None for size in tensor[2])
