"""Sends windows to one model on one Triton server, and turns every failure into an error of the service."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from service.errors.base import ServiceError
from service.errors.engine import EngineError, EngineUnavailable, InferenceFailed, ModelNotFound
from service.errors.job import JobCanceled
from service.inference.engine import INPUT, OUTPUT, Frames, Stopped, checked_result, never
from service.inference.triton_memory import SharedMemory, SharingError
from service.metrics import TRITON_WINDOWS
from service.types import CONTEXT_FRAMES, MIN_SIDE

log = logging.getLogger(__name__)

_DATATYPE = "UINT8"
_ASK_S = 0.2
"""Seconds after which a call that waits for the server asks whether anybody still waits for it."""
_QUESTION_TIMEOUT_S = 10.0
"""For questions that a server answers without inference."""
_CHANNEL = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # A server that was restarted is found again within a second or two, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # Each link has its own connection, so that closing one closes only that.
    ("grpc.use_local_subchannel_pool", 1),
]
_AWAY = {"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "NOT_FOUND", "ABORTED"}
"""Statuses of a server that is down, too slow, or does not serve the model: another one may, or this one later."""
_REFUSED = {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "OUT_OF_RANGE", "UNIMPLEMENTED"}
"""Statuses of a window that is at fault. With others, such as INTERNAL, the window or the server may be."""


@dataclass(frozen=True)
class LinkOptions:
    """How a link sends windows. ``timeout_s``: for one window. ``owner``: see ``SharedMemory``."""

    timeout_s: float
    owner: str
    share_memory: bool = True
    """Whether to send windows by shared memory where the server can."""


class TritonLink:
    """Connects to one model. Several threads may call; their windows are at the server at the same time."""

    def __init__(self, address: str, model: str, options: LinkOptions) -> None:
        """Prepares a connection to ``address``, the ``host:port`` of gRPC; nothing is sent yet."""
        self.address = address
        self.model = model
        self._options = options
        self._client = InferenceServerClient(address, channel_args=_CHANNEL)
        self._memory = SharedMemory(self._client, options.owner, options.timeout_s)
        self._shares = False
        self._closed = Event()
        self._lock = Lock()
        self._calls = 0

    def prove(self) -> None:
        """Restores the smallest window, and finds out whether memory can be shared.

        Raises EngineUnavailable, ModelNotFound where the server knows no such model, EngineError where it cannot
        load it or the tensors are not as expected, InferenceFailed where it returns another number of frames.
        """
        self._require_signature()
        window = np.zeros((CONTEXT_FRAMES + 1, MIN_SIDE, MIN_SIDE, 3), np.uint8)
        try:
            checked_result(self._by_message(window, never), window)
        except InferenceServerException as error:
            raise EngineUnavailable(f"The smallest window fails: {self._message(error)}") from error
        self._shares = self._options.share_memory and self._can_share(window)

    def infer(self, window: Frames, stopped: Stopped = never) -> Frames:
        """Restores a window. Raises what ``DeblurEngine.restore`` raises."""
        way, outcome = "memory" if self._shares else "message", "restored"
        try:
            return self._answer(window, stopped)
        except ServiceError as error:
            outcome = error.code
            raise
        finally:
            TRITON_WINDOWS.labels(self.address, self.model, way, outcome).inc()

    def close(self) -> None:
        """Gives up the calls that are running, and disconnects."""
        self._closed.set()
        self._memory.close()
        self._client.close()

    def _answer(self, window: Frames, stopped: Stopped) -> Frames:
        try:
            return checked_result(self._infer(window, stopped), window)
        except InferenceServerException as error:
            status = _status(error)
            if status in _AWAY:
                raise EngineUnavailable(self._message(error)) from error
            if status not in _REFUSED:
                self.prove()  # raises EngineUnavailable where every window fails
            raise InferenceFailed(
                f"A window of {list(window.shape)} fails: {self._message(error)}"
            ) from error

    def _infer(self, window: Frames, stopped: Stopped) -> Frames:
        if not self._shares:
            return self._by_message(window, stopped)
        try:
            return self._by_memory(window, stopped)
        except SharingError as error:
            reason: Exception = error
        except InferenceServerException as error:
            if _status(error) in _AWAY - {"NOT_FOUND"}:
                raise
            # A server that was restarted has forgotten the regions; the second try shows any other cause.
            self._memory.forget()
            reason = error
        log.info("A window goes to %s by message: %s", self.address, reason)
        return self._by_message(window, stopped)

    def _by_message(self, window: Frames, stopped: Stopped) -> Frames:
        given = InferInput(INPUT, window.shape, _DATATYPE)
        given.set_data_from_numpy(np.ascontiguousarray(window))
        restored: Frames = self._call(given, InferRequestedOutput(OUTPUT), stopped).as_numpy(OUTPUT)
        return restored

    def _by_memory(self, window: Frames, stopped: Stopped) -> Frames:
        shape = (window.shape[0] - CONTEXT_FRAMES, *window.shape[1:])
        size = int(np.prod(shape))
        with self._memory.region(window.nbytes + size) as region:
            region.frames(0, window.shape)[...] = window
            given, wanted = InferInput(INPUT, window.shape, _DATATYPE), InferRequestedOutput(OUTPUT)
            given.set_shared_memory(region.name, window.nbytes)
            wanted.set_shared_memory(region.name, size, window.nbytes)
            output = self._call(given, wanted, stopped).get_output(OUTPUT)
            if output is None or tuple(output.shape) != shape:
                raise InferenceFailed(f"The model returned {output and [*output.shape]}, not {list(shape)}.")
            return region.frames(window.nbytes, shape).copy()

    def _call(self, given: InferInput, wanted: InferRequestedOutput, stopped: Stopped) -> Any:
        """Waits for the answer, for the deadline, or until nobody waits for the window any more."""
        done, answers = Event(), []

        def answered(result: Any, error: Any) -> None:
            answers.append((result, error))
            done.set()

        with self._timeout() as timeout_s:
            try:
                call = self._client.async_infer(
                    self.model, [given], answered, outputs=[wanted], client_timeout=timeout_s
                )
            except ValueError as error:  # what a closed connection raises
                raise EngineUnavailable("The engine was closed.") from error
            while not done.wait(_ASK_S):
                if self._closed.is_set() or stopped():
                    call.cancel()
                    raise self._cause_of_end()
        result, failure = answers[0]
        if failure is not None:
            raise failure
        return result

    @contextmanager
    def _timeout(self) -> Iterator[float]:
        """Yields the seconds that a call may take: a server works on the calls before it first."""
        with self._lock:
            self._calls += 1
            calls = self._calls
        try:
            yield calls * self._options.timeout_s
        finally:
            with self._lock:
                self._calls -= 1

    def _cause_of_end(self) -> EngineError | JobCanceled:
        if self._closed.is_set():
            return EngineUnavailable("The engine was closed.")
        return JobCanceled(f"Nobody waits for the window at {self.address} any more.")

    def _require_signature(self) -> None:
        """Raises EngineError for other tensors than expected, and the error of a model that is not served."""
        try:
            found = self._client.get_model_metadata(self.model, client_timeout=_QUESTION_TIMEOUT_S)
        except InferenceServerException as error:
            raise self._absent(error) from error
        for side, tensors, name in (("input", found.inputs, INPUT), ("output", found.outputs, OUTPUT)):
            stated = [(tensor.name, tensor.datatype, list(tensor.shape)) for tensor in tensors]
            if len(stated) != 1 or stated[0][:2] != (name, _DATATYPE) or not _is_frames(stated[0][2]):
                raise EngineError(
                    f"The model {self.model!r} at {self.address} has another {side} than {name}: {_DATATYPE} "
                    f"[N, H, W, 3]; found {stated}."
                )

    def _absent(self, error: InferenceServerException) -> EngineError | ModelNotFound:
        if _status(error) not in ("NOT_FOUND", "UNAVAILABLE"):
            return EngineUnavailable(self._message(error))
        try:
            index = self._client.get_model_repository_index(client_timeout=_QUESTION_TIMEOUT_S).models
        except InferenceServerException as again:
            return EngineUnavailable(self._message(again))
        states = [(one.state, one.reason) for one in index if one.name == self.model]
        if not states:
            return ModelNotFound(f"There is no model {self.model!r} at the Triton of {self.address}.")
        state, reason = states[-1]
        if state == "UNAVAILABLE" and reason not in ("", "unloaded"):
            return EngineError(f"The model {self.model!r} does not load at {self.address}: {reason}")
        return EngineUnavailable(f"{self.address} does not serve {self.model!r} yet: {state or 'loading'}")

    def _can_share(self, window: Frames) -> bool:
        """Returns whether a window can go by shared memory, by trying it.

        Uses new regions, because earlier ones may belong to a server that was restarted.
        """
        try:
            self._memory.forget()
            self._memory.sweep()
            self._by_memory(window, never)
        except (SharingError, InferenceServerException, InferenceFailed) as error:
            log.info("Windows go to %s by message, not by shared memory: %s", self.address, error)
            return False
        log.info("Windows go to %s by shared memory", self.address)
        return True

    def _message(self, error: InferenceServerException) -> str:
        return f"Triton at {self.address}: {_status(error)}: {error.message()}"


def _status(error: InferenceServerException) -> str:
    return str(error.status()).removeprefix("StatusCode.")


def _is_frames(shape: list[int]) -> bool:
    return len(shape) == 4 and shape[3] in (3, -1)
