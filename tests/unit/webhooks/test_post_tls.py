"""Receivers over https: with a certificate that this machine trusts, and not without."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.errors.webhook import WebhookFailed
from service.outbound.address import Reach
from service.webhooks.post import WebhookClient
from tests.support.dripping import dripping


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that does not trust us hangs up."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    both = tmp_path / "both.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name]
    subprocess.run(
        [*command, "-keyout", both, "-out", tmp_path / "cert.pem"], check=True, capture_output=True
    )
    both.write_text(both.read_text() + (tmp_path / "cert.pem").read_text())
    return both


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def url(certificate: Path) -> Iterator[str]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = serving(certificate).wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"https://localhost:{server.server_port}/hook"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_trusted_receiver_is_reached(url: str, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("cert.pem")))

    assert WebhookClient(5, Reach(private=True)).post(url, b"{}", {}) == 204


def test_a_stranger_is_not(url: str) -> None:
    with pytest.raises(WebhookFailed, match="CERTIFICATE_VERIFY_FAILED"):
        WebhookClient(5, Reach(private=True)).post(url, b"{}", {})


def test_a_receiver_that_answers_byte_by_byte_is_cut_off(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("cert.pem")))
    with dripping(serving(certificate)) as hook, pytest.raises(WebhookFailed):
        WebhookClient(0.5, Reach(private=True)).post(f"https://localhost:{hook.port}/", b"{}", {})
    assert hook.sent < 100  # of one each 0.05 s: a pause of the whole machine does not count
