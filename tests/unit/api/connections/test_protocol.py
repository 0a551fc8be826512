"""A real server with little patience, and clients that try it."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from service.api.connections.gate import Gate, GateLimits
from service.api.connections.protocol import Patience, guarded_protocol

QUICK = Patience(header_s=0.3, window_s=0.3, least_rate=1000, reader_s=0.3)
LONG = Patience(header_s=600, window_s=600, reader_s=600)
FOREVER = 60
"""Seconds that no test waits for where all is well."""


class Server:
    """An application that tells what became of its requests."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.ends: list[str] = []
        self.hold = asyncio.Event()

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=FOREVER)

    def until_ends(self, expected: list[str]) -> None:
        while self.ends != expected:
            time.sleep(0.02)

    def ask(self, *parts: bytes) -> bytes:
        """Sends the parts and returns everything until the server closes."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return rest(connection)


def rest(connection: socket.socket) -> bytes:
    answer = b""
    while data := connection.recv(65536):
        answer += data
    return answer


def problem(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["code"]


@contextmanager
def serving(patience: Patience = QUICK, total: int = 100) -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname())
    protocol = guarded_protocol(Gate(GateLimits(total, total + 1)), patience)
    config = uvicorn.Config(application(server), http=protocol, ws="none", log_config=None, lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield server
    finally:
        running.should_exit = running.force_exit = True
        thread.join()


def application(server: Server) -> Starlette:
    async def read(request: Request) -> Response:
        try:
            size = len(await request.body())
        except ClientDisconnect:
            server.ends.append("disconnected")
            raise
        return PlainTextResponse(str(size))

    async def held(_request: Request) -> Response:
        server.ends.append("holds")
        await server.hold.wait()
        return PlainTextResponse("held")

    async def flood(_request: Request) -> Response:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
                    await asyncio.sleep(0)
            finally:
                server.ends.append("flood over")

        return StreamingResponse(chunks())

    async def live(_request: Request) -> Response:
        return PlainTextResponse("alive")

    routes = [Route("/held", held), Route("/flood", flood), Route("/livez", live)]
    return Starlette(routes=[Route("/read", read, methods=["POST"]), *routes])


GET = b"GET /livez HTTP/1.1\r\nHost: here\r\n"
POST = b"POST /read HTTP/1.1\r\nHost: here\r\n"


@pytest.mark.parametrize("sent", [b"", b"G", GET, GET + b"X-Slow: "])
def test_a_header_that_does_not_come_is_not_waited_for(sent: bytes) -> None:
    with serving() as server:
        assert problem(server.ask(sent)) == (408, "request_timeout")


def test_nor_is_that_of_a_second_request() -> None:
    with serving() as server, server.connect() as connection:
        connection.sendall(GET + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(GET)
        assert problem(rest(connection)) == (408, "request_timeout")


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 100000\r\n\r\n",
        POST + b"Content-Length: 100000\r\n\r\nsome of it",
        POST + b"Transfer-Encoding: chunked\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\nhalf of a chunk",
    ],
)
def test_a_body_that_stops_is_ended_and_its_reader_told(sent: bytes) -> None:
    with serving() as server:
        assert problem(server.ask(sent)) == (408, "request_timeout")
        assert server.ends == ["disconnected"]


def test_a_body_of_single_bytes_is_ended() -> None:
    with serving() as server, server.connect() as connection:
        connection.sendall(POST + b"Content-Length: 100000\r\n\r\n")
        connection.settimeout(0.02)
        answer = b""
        while not answer:
            try:
                connection.sendall(b"x")
                answer = connection.recv(65536)
            except TimeoutError:
                continue
    assert b" 408 " in answer


def test_a_body_that_nobody_reads_any_more_is_ended_too() -> None:
    """The application answered 405 at once; the rest of the body is only thrown away."""
    with serving() as server:
        answer = server.ask(POST.replace(b"/read", b"/livez") + b"Content-Length: 100000\r\n\r\nsome")

        assert answer.startswith(b"HTTP/1.1 405")


def test_whoever_waits_for_our_consent_is_not_slow() -> None:
    with serving() as server, server.connect() as connection:
        request = b"GET /held HTTP/1.1\r\nHost: here\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        connection.sendall(request)
        connection.settimeout(QUICK.window_s * 4)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_whole_body_is_taken_however_long_its_answer_takes() -> None:
    with serving() as server, server.connect() as connection:
        connection.sendall(b"GET /held HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\nhi")
        connection.settimeout(QUICK.window_s * 4)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_an_answer_that_is_not_read_is_ended() -> None:
    with serving() as server, server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /flood HTTP/1.1\r\nHost: here\r\n\r\n")
        server.until_ends(["flood over"])


@pytest.mark.parametrize("broken", [b"no number\r\n", b"5\r\nhello world"])
def test_a_body_that_stops_to_be_http_is_refused_and_leaves_no_trace(
    broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    with serving() as server:
        answer = server.ask(POST + b"Transfer-Encoding: chunked\r\n\r\n" + broken)

        assert problem(answer) == (400, "malformed_request")
        assert server.ends == ["disconnected"]
    assert not [record for record in caplog.records if "LocalProtocolError" in str(record.exc_info)]


@pytest.mark.parametrize(
    "head",
    [
        b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /read HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n",
        b"POST /read HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_request_that_ends_elsewhere_for_a_proxy_is_refused_and_what_follows_is_none(head: bytes) -> None:
    with serving(LONG) as server:
        answer = server.ask(head + b"0\r\n\r\n" + b"GET /read HTTP/1.1\r\nHost: a\r\n\r\n")

    assert problem(answer) == (400, "malformed_request")
    assert answer.count(b"\r\n\r\n") == 1
    assert server.ends == []


def test_half_a_header_makes_room_for_whoever_asks() -> None:
    with serving(LONG, total=3) as server:
        silent = [server.connect() for _ in range(9)]
        for one in silent:
            one.sendall(GET)

        assert server.ask(GET + b"Connection: close\r\n\r\n").endswith(b"alive")
        for one in silent:
            one.close()


def test_where_all_places_are_in_use_that_is_said_and_liveness_still_answered() -> None:
    with serving(LONG, total=2) as server:
        held = [server.connect() for _ in range(2)]
        for one in held:
            one.sendall(b"GET /held HTTP/1.1\r\nHost: here\r\n\r\n")
        server.until_ends(["holds"] * 2)
        answer = server.ask(POST + b"Content-Length: 0\r\n\r\n")

        assert problem(answer) == (503, "too_many_connections")
        assert b"retry-after: 5" in answer.lower()
        assert server.ask(GET + b"Connection: close\r\n\r\n").endswith(b"alive")
        for one in held:
            one.close()
