"""Gives every request an id, which its answer and all log lines name, a line in the log and a span."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.logs import log_context
from service.tracing import HEADER, describe, span

log = logging.getLogger(__name__)

REQUEST_ID = "X-Request-ID"
_SANE = re.compile(r"[A-Za-z0-9._:-]{8,128}")
"""Ids from clients that go into log lines as they came."""
_PROBES = ("/livez", "/readyz", "/metrics")
"""Asked every few seconds by machines: only their failures are news."""
_FAILED = 500


class RequestLog:
    """ASGI middleware, the outermost, so that it also sees what others refuse."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get(REQUEST_ID, "")
        request_id = given if _SANE.fullmatch(given) else secrets.token_hex(16)
        with (
            log_context(request=request_id),
            span(scope["method"], headers.get(HEADER), {"http.request.method": scope["method"]}),
        ):
            await _Exchange(scope, send, request_id).run(self._app, receive)


class _Exchange:
    """Counts the bytes of one request and its answer, and logs both when the answer is sent."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._scope = scope
        self._send = send
        self._id = request_id
        self._began = time.monotonic()
        self._status = 0
        self._in = self._out = 0

    async def run(self, app: ASGIApp, receive: Receive) -> None:
        async def counted() -> Message:
            message = await receive()
            self._in += len(message.get("body", b""))
            return message

        try:
            await app(self._scope, counted, self._pass_on)
        finally:
            self._log()

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            MutableHeaders(scope=message)[REQUEST_ID] = self._id
        self._out += len(message.get("body", b""))
        await self._send(message)

    def _log(self) -> None:
        method, route = self._scope["method"], _template(self._scope)
        describe({"http.route": route, "http.response.status_code": self._status, "request.id": self._id})
        if self._scope["path"] in _PROBES and self._status < _FAILED:
            return
        fields: dict[str, Any] = {
            "method": method,
            "route": route,
            "status": self._status,
            "ms": round((time.monotonic() - self._began) * 1000),
            "bytes_in": self._in,
            "bytes_out": self._out,
        }
        log.info("%s %s %s", method, route, self._status, extra=fields)


def _template(scope: Scope) -> str:
    """Returns the template of the route, such as ``/jobs/{job_id}``.

    Ids would make every line a kind of its own, and addresses may hold what is secret.
    """
    return str(getattr(scope.get("route"), "path", "no route"))
