"""A server of videos that are fetched, and of results that are put: real HTTP, with the faults of real servers."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Manner:
    """How one request is answered; by itself, with the whole file."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    only: int | None = None
    """Bytes after which it ends, or waits for ``release`` where that is given."""
    length: int | None = None
    """Said in place of the right one; -1 says none."""
    release: threading.Event | None = None


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Origin:
    """Serves ``files`` by path. Requests are answered in the ``manners`` of their path in order, then well."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    manners: dict[str, list[Manner]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    tag: str = '"1"'
    """The ETag; empty is none, and then there are no ranges."""

    def manner(self, path: str) -> Manner:
        waiting = self.manners.get(path)
        return waiting.pop(0) if waiting else Manner()

    def answer(self, path: str, sent: Mapping[str, str], manner: Manner) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of an answer, which is a part of the file where that is asked for."""
        body = self.files.get(path)
        status, data = manner.status or (404 if body is None else 200), body or b""
        headers = {"Content-Type": "video/mp4"}
        if self.tag and body is not None:
            headers["ETag"] = self.tag
            if status == 200 and sent.get("If-Range") == self.tag:
                first = int(sent["Range"].removeprefix("bytes=").rstrip("-"))
                status, data = 206, body[first:]
                headers["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        length = len(data) if manner.length is None else manner.length
        if length >= 0:
            headers["Content-Length"] = str(length)
        return status, {**headers, **manner.headers}, data

    def of(self, method: str, path: str) -> list[Asked]:
        """The requests with a method and a path, so far."""
        return [one for one in self.asked if (one.method, one.path) == (method, path)]


class _Handler(BaseHTTPRequestHandler):
    state: Origin

    def do_GET(self) -> None:
        self.note()
        manner = self.state.manner(self.path)
        status, headers, data = self.state.answer(self.path, self.headers, manner)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # the worker was killed, or lost interest
            self.wfile.write(data[: manner.only])
            if manner.release is not None:
                manner.release.wait(120)
                self.wfile.write(data[manner.only :])

    def do_PUT(self) -> None:
        self.note(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.state.manner(self.path).status or 200)
        self.end_headers()

    def note(self, body: bytes = b"") -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.asked.append(Asked(self.command, self.path, headers, body))

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


@contextmanager
def origin() -> Iterator[Origin]:
    """A server on a free port of this machine, until the block ends."""
    state = Origin()

    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        for manners in state.manners.values():
            for manner in manners:
                if manner.release is not None:
                    manner.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
