# ruff: noqa: N802, ARG002  (names and arguments are those of the protocol)
"""A server that speaks Triton's protocol and restores at the pace of a test. It passes the contract of engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
import numpy as np
from tritonclient.grpc import service_pb2 as messages
from tritonclient.grpc.service_pb2_grpc import (
    GRPCInferenceServiceServicer,
    add_GRPCInferenceServiceServicer_to_server,
)

from service.inference.engine import INPUT, OUTPUT, DeblurEngine
from service.types import CONTEXT_FRAMES, MIN_SIDE
from tests.support.pace import Pace

THREADS = 64
"""Windows that can wait at a time."""
PROOF = [CONTEXT_FRAMES + 1, MIN_SIDE, MIN_SIDE, 3]
"""The window that only asks whether the server works; never held."""
UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class PacedTriton:
    """Where it listens, and the pace of its held models."""

    def __init__(self, port: int, pace: Pace) -> None:
        self.port = port
        self.pace = pace

    def settings(self, host: str = "127.0.0.1") -> dict[str, str]:
        """The ``CDVD_...`` variables of workers that use it. A window may wait for as long as a test does."""
        return {
            "CDVD_ENGINE": "triton",
            "CDVD_TRITON_URLS": f"{host}:{self.port}",
            "CDVD_TRITON_TIMEOUT_S": "600",
            "CDVD_DEFAULT_QUALITY": "fast",  # as without Triton
            "CDVD_WINDOWS_IN_FLIGHT": "1",  # so that the frames that may pass are the first ones
        }


@contextmanager
def paced_triton(
    free: Mapping[str, DeblurEngine], held: Mapping[str, DeblurEngine], host: str = "127.0.0.1"
) -> Iterator[PacedTriton]:
    """Serves some models at once and others at the pace of the test, until the block ends."""
    pace = Pace()
    server = grpc.server(ThreadPoolExecutor(THREADS), options=UNLIMITED)
    add_GRPCInferenceServiceServicer_to_server(_Servicer(free, held, pace), server)
    port = server.add_insecure_port(f"{host}:0")
    server.start()
    try:
        yield PacedTriton(port, pace)
    finally:
        server.stop(grace=None).wait()


class _Servicer(GRPCInferenceServiceServicer):  # type: ignore[misc]
    """What workers ask of a Triton; the rest of the protocol, shared memory above all, is not implemented."""

    def __init__(
        self, free: Mapping[str, DeblurEngine], held: Mapping[str, DeblurEngine], pace: Pace
    ) -> None:
        self._engines = {**free, **held}
        self._held = held
        self._pace = pace

    def ModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        """States the tensors of every model."""
        self._engine(request.name, context)
        input_, output = (
            messages.ModelMetadataResponse.TensorMetadata(name=name, datatype="UINT8", shape=[-1, -1, -1, 3])
            for name in (INPUT, OUTPUT)
        )
        return messages.ModelMetadataResponse(name=request.name, inputs=[input_], outputs=[output])

    def RepositoryIndex(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Lists the models as ready."""
        ready = [
            messages.RepositoryIndexResponse.ModelIndex(name=name, state="READY") for name in self._engines
        ]
        return messages.RepositoryIndexResponse(models=ready)

    def ModelInfer(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Restores a window that is sent in the message."""
        engine = self._engine(request.model_name, context)
        shape = list(request.inputs[0].shape)
        if not request.raw_input_contents:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no shared memory here")
        frames = shape[0] - CONTEXT_FRAMES
        held = request.model_name in self._held and shape != PROOF
        if held and not self._pace.take_turn(frames, context.is_active):
            context.abort(grpc.StatusCode.CANCELLED, "nobody waits any more")
        window = np.frombuffer(request.raw_input_contents[0], np.uint8).reshape(shape)
        restored = engine.restore(window)
        tensor = messages.ModelInferResponse.InferOutputTensor(
            name=OUTPUT, datatype="UINT8", shape=restored.shape
        )
        return messages.ModelInferResponse(
            model_name=request.model_name, outputs=[tensor], raw_output_contents=[restored.tobytes()]
        )

    def _engine(self, name: str, context: grpc.ServicerContext) -> DeblurEngine:
        if name not in self._engines:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown model {name}")
        return self._engines[name]
