"""HTTP/1.1 with patience that ends: deadlines for what a client sends and for what it should take.

Extends uvicorn's protocol, which waits for ever for a request's header, for its body and for a reader of its answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar

import h11
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from service.api.answers.problems import problem
from service.api.connections.gate import Admission, Gate
from service.errors.limit import TooManyConnections
from service.errors.upload import MalformedRequest, RequestTimeout

_LIVENESS = "/livez"
_REFUSALS = {
    Admission.FULL: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "All connections of the service are in use; try again later.",
    ),
    Admission.TOO_MANY: (
        HTTPStatus.TOO_MANY_REQUESTS,
        "Your address has as many connections as it may have; close some, or try again later.",
    ),
}


_TWO_ENDS = "A request has either Content-Length or, from HTTP/1.1 on, Transfer-Encoding."


@dataclass(frozen=True)
class Patience:
    """How long a connection waits for its client."""

    header_s: float = 10.0
    """From the beginning of a request, or of the connection, to the end of the header."""
    window_s: float = 10.0
    """A body is measured over so many seconds, again and again."""
    least_rate: float = 1024.0
    """Bytes per second of a body at least, on average over a window."""
    reader_s: float = 60.0
    """For a client to take any of an answer that it does not read."""


class PatientProtocol(H11Protocol):
    """One connection. ``guarded_protocol`` gives it a gate and its patience."""

    gate: ClassVar[Gate]
    patience: ClassVar[Patience]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._received = self._mark = 0
        self._served_app = self.app
        self._admission = self.gate.enter(self)
        self.app = self._answer
        self._arm("header", self.patience.header_s, self._header_is_late)

    def connection_lost(self, exc: Exception | None) -> None:
        for name in tuple(self._timers):
            self._disarm(name)
        self.gate.leave(self)
        super().connection_lost(exc)

    def drop(self) -> None:
        """Closes at once, in favor of another connection."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._received += len(data)
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            if self._is_between_requests():
                self.gate.idles(self)
            self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._arm("reader", self.patience.reader_s, self.drop)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._disarm("reader")

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP, or a body that stops to be; an application that reads it is told that it ended."""
        detail = f"This is no request that can be understood: {msg.rstrip('.')}."
        self._refuse(problem(HTTPStatus.BAD_REQUEST, MalformedRequest.code, detail))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on to the application, or says that it has no place, or no certain end."""
        if _has_two_ends(scope):
            refusal = problem(HTTPStatus.BAD_REQUEST, MalformedRequest.code, _TWO_ENDS)
            refusal.headers["Connection"] = "close"
            await refusal(scope, receive, send)
            return
        if self._admission is Admission.SERVED or scope["path"] == _LIVENESS:
            await self._served_app(scope, receive, send)
            return
        status, detail = _REFUSALS[self._admission]
        answer = problem(status, TooManyConnections.code, detail)
        answer.headers["Retry-After"] = str(TooManyConnections.usual_wait_s)
        answer.headers["Connection"] = "close"
        await answer(scope, receive, send)

    def _watch(self) -> None:
        """Arms the deadline of what the client is to send next."""
        if self.transport.is_closing():
            return
        if self._is_between_requests():
            if self.conn.trailing_data[0] and "header" not in self._timers:
                self._arm("header", self.patience.header_s, self._header_is_late)
            return
        self._disarm("header")
        self.gate.asked(self)
        if self.conn.their_state is h11.SEND_BODY and "body" not in self._timers:
            self._measure()

    def _measure(self) -> None:
        self._mark = self._received
        self._arm("body", self.patience.window_s, self._weigh)

    def _weigh(self) -> None:
        """Ends a body that came too slowly; the client is not to blame while we do not read, or have not agreed."""
        if self.conn.their_state is not h11.SEND_BODY:
            return
        least = self.patience.least_rate * self.patience.window_s
        ours = self.flow.read_paused or self.cycle.waiting_for_100_continue
        if ours or self._received - self._mark >= least:
            self._measure()
            return
        rate = f"{self.patience.least_rate:g} bytes a second"
        self._refuse(_late(f"The body came more slowly than {rate} for {self.patience.window_s:g} seconds."))

    def _header_is_late(self) -> None:
        self._refuse(_late(f"The header was not complete after {self.patience.header_s:g} seconds."))

    def _refuse(self, answer: Response) -> None:
        """Answers in place of the application where nothing was answered yet, and closes."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headless = self.conn.our_state is h11.SEND_RESPONSE and self.scope["method"] == "HEAD"
            status = answer.status_code
            headers = [*answer.raw_headers, (b"connection", b"close")]
            start = h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status])
            body = [] if headless else [h11.Data(data=bytes(answer.body))]
            for event in (start, *body, h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()

    def _is_between_requests(self) -> bool:
        return self.conn.their_state is h11.IDLE

    def _arm(self, name: str, seconds: float, then: Any) -> None:
        self._disarm(name)
        self._timers[name] = self.loop.call_later(seconds, partial(self._ring, name, then))

    def _disarm(self, name: str) -> None:
        if name in self._timers:
            self._timers.pop(name).cancel()

    def _ring(self, name: str, then: Any) -> None:
        del self._timers[name]
        if not self.transport.is_closing():
            then()


def guarded_protocol(gate: Gate, patience: Patience) -> type[PatientProtocol]:
    """Returns the protocol of a server whose connections share ``gate``."""
    return type("GuardedProtocol", (PatientProtocol,), {"gate": gate, "patience": patience})


def _has_two_ends(scope: Scope) -> bool:
    """Returns whether a proxy in front may have seen the end of the request elsewhere (RFC 9112, section 6.1)."""
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0")


def _late(detail: str) -> Response:
    return problem(HTTPStatus.REQUEST_TIMEOUT, RequestTimeout.code, detail)
