"""Clients that send slowly, or never finish, against the real gateway."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.clips import write_clip
from tests.support.stack import PATIENCE_S, QUICK, Service, running_stack, until

pytestmark = pytest.mark.integration

PLACES = 16


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"CDVD_CONNECTIONS": str(PLACES), "CDVD_HEADER_TIMEOUT_S": "600"}
    with running_stack(tmp_path_factory.mktemp("slow"), settings) as running:
        yield running


def connect(service: Service) -> socket.socket:
    address = urlsplit(service.url)
    return socket.create_connection((address.hostname, address.port), timeout=PATIENCE_S)


def test_half_sent_headers_keep_nobody_out(service: Service, tmp_path: Path) -> None:
    with ExitStack() as crowd:
        for _ in range(5 * PLACES):
            one = crowd.enter_context(closing(connect(service)))
            one.sendall(b"POST /jobs HTTP/1.1\r\nHost: localhost\r\nX-Half: ")

        assert service.http.get("/livez").status_code == 200
        job_id = service.submit(write_clip(tmp_path / "clip.mp4"), model=QUICK)

    service.until_status(job_id, "succeeded")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/estimates", "application/json"), ("/jobs", "multipart/form-data; boundary=x")],
)
def test_a_body_that_stalls_is_ended_and_leaves_nothing(service: Service, path: str, kind: str) -> None:
    with closing(connect(service)) as connection:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nContent-Length: 9999\r\n\r\n"
        )
        connection.sendall(head.encode() + b'--x\r\nContent-Disposition: form-data; name="video"\r\n\r\nabc')
        answer = b""
        while data := connection.recv(65536):
            answer += data

    assert answer.startswith(b"HTTP/1.1 408")
    assert b"request_timeout" in answer
    until(lambda: not any((service.data / "incoming").iterdir()), "nothing is left")
