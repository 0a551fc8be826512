"""A gate between workers and Triton, in a container of its own: windows pass when the test lets them.

Forwards every call of Triton's protocol as it is, shared memory included. Listens at port 8001 as Triton does, and at
9000 for the test: ``GET /`` states what waits and what may pass, ``POST /<frames>`` lets so many frames pass.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from tritonclient.grpc import service_pb2 as messages

from tests.support.pace import Pace

PORT, CONTROL_PORT = 8001, 9000
CONTEXT_FRAMES = 4
"""A window holds so many frames more than are restored of it."""
UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
THREADS = 32


class Gate(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Hands calls on to the server at ``address``; windows of the test's clip wait for their turn, then ``delay_s``.

    Other windows pass at once: they only ask whether Triton works, and whether it computes what the model should.
    """

    def __init__(self, address: str, pace: Pace, sides: set[int], delay_s: float) -> None:
        self._channel = grpc.insecure_channel(address, options=UNLIMITED)
        self._pace = pace
        self._sides = sides
        self._delay_s = delay_s

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """Returns a handler of messages that nobody parses."""

        def handle(request: bytes, context: grpc.ServicerContext) -> bytes:
            if details.method.endswith("/ModelInfer"):
                self._wait(request, context)
            return self._forward(details.method, request, context)

        return grpc.unary_unary_rpc_method_handler(handle)

    def _wait(self, request: bytes, context: grpc.ServicerContext) -> None:
        shape = messages.ModelInferRequest.FromString(request).inputs[0].shape
        if set(shape[1:3]) != self._sides:
            return
        if not self._pace.take_turn(shape[0] - CONTEXT_FRAMES, context.is_active):
            context.abort(grpc.StatusCode.CANCELLED, "nobody waits for the window any more")
        time.sleep(self._delay_s)

    def _forward(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        call: Callable[..., grpc.Future] = self._channel.unary_unary(method).future
        answer = call(request, timeout=context.time_remaining())
        context.add_callback(answer.cancel)
        try:
            return bytes(answer.result())
        except grpc.RpcError as error:
            context.abort(error.code(), error.details())
        except grpc.FutureCancelledError:
            context.abort(grpc.StatusCode.CANCELLED, "given up by the worker")
        raise AssertionError("abort raises")


def control(pace: Pace) -> ThreadingHTTPServer:
    """Returns the server that the test speaks to."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"waiting": pace.waiting, "left": pace.left})

        def do_POST(self) -> None:
            pace.let(float(self.path.removeprefix("/")))
            self._answer({})

        def _answer(self, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return ThreadingHTTPServer(("127.0.0.1", CONTROL_PORT), Handler)


def main() -> None:
    """``gate.py ADDRESS WIDTHxHEIGHT DELAY_S``"""
    address, size, delay_s = sys.argv[1:]
    sides = {int(side) for side in size.split("x")}
    pace = Pace()
    server = grpc.server(ThreadPoolExecutor(THREADS), options=UNLIMITED)
    server.add_generic_rpc_handlers((Gate(address, pace, sides, float(delay_s)),))
    server.add_insecure_port(f"0.0.0.0:{PORT}")
    server.start()
    control(pace).serve_forever()


if __name__ == "__main__":
    main()
