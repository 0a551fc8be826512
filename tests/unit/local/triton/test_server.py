from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import psutil
import pytest

from service.errors.startup import StackFailed
from service.local.triton.install import TritonInstall
from service.local.triton.server import TritonPorts, TritonServer, free_ports
from tests.support.stack import until


class Other(BaseHTTPRequestHandler):
    """Says that it is a ready Triton called ``other``."""

    def do_GET(self) -> None:  # the name that the library calls
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"name": "other"}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def other() -> Iterator[int]:
    """The port of another server."""
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def server(tmp_path: Path, http: int, name: str) -> TritonServer:
    ports = TritonPorts(http, 1, 2)
    return TritonServer(TritonInstall(tmp_path), tmp_path, tmp_path / "own", tmp_path / "log", ports, name)


def test_another_server_on_the_port_is_not_taken_for_ours(tmp_path: Path, other: int) -> None:
    assert not server(tmp_path, other, "ours").is_ready()
    assert server(tmp_path, other, "other").is_ready()


def test_a_server_that_does_not_answer_is_not_ready(tmp_path: Path) -> None:
    assert not server(tmp_path, free_ports().http, "ours").is_ready()


def test_a_port_that_is_taken_is_refused_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StackFailed, match=f"port {port}: Address already in use"):
            free_ports(TritonPorts(0, port, 0))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_server_whose_model_process_ended_is_not_healthy() -> None:
    assert TritonServer.is_healthy(os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as model:
        until(lambda: psutil.Process(model.pid).status() == psutil.STATUS_ZOMBIE, "it has ended")
        assert not TritonServer.is_healthy(os.getpid())
