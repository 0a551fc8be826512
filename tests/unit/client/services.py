"""Small hand-written services that clients talk to without a network, and a clock that does not run by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import httpx

from service.client import Client

VIDEO = bytes(range(256)) * 4096
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def job_json(status: str = "queued", **parts: object) -> dict[str, object]:
    return {"id": "j1", "status": status, "model": "cdvd_lite", "created_at": "2026-01-01T00:00:00Z"} | parts


def output_json(data: bytes) -> dict[str, object]:
    return {"bytes": len(data), "frames": 8, "sha256": hashlib.sha256(data).hexdigest(), "added_later": 1}


def problem(status: int, code: str, detail: str, **headers: str) -> httpx.Response:
    body = json.dumps({"title": "No", "detail": detail, "status": status, "code": code})
    return httpx.Response(
        status, content=body, headers={"Content-Type": "application/problem+json", **headers}
    )


def client_of(handler: Handler, *, outage_s: float = 60.0, key: str | None = None) -> Client:
    transport = httpx.MockTransport(handler)
    return Client("http://service.test", transport=transport, outage_s=outage_s, key=key)


def answering(*answers: httpx.Response | Exception, streams: bool = False) -> Handler:
    """A service that gives these answers in turn, and has no event streams unless they are among them."""
    waiting = list(answers)

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/events") and not streams:
            return problem(405, "method_not_allowed", "no streams here")
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler
