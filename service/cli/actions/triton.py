"""Fetches a Triton server, and runs it in the foreground."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path

from service.cli.output.lines import say
from service.config import default_models
from service.local.children import Child
from service.local.signals import sigterm_exits
from service.local.supervisor import SupervisedChild, Supervisor
from service.local.triton.install import VERSION, TritonInstall, find_install, install
from service.local.triton.server import HOST, TritonPorts, TritonServer, free_ports


def fetch(directory: Path) -> TritonInstall:
    """Returns the server kept in ``directory``, fetched with pip when it is not there. Raises RequirementMissing."""
    if find_install(directory) is None:
        say(f"Fetching Triton {VERSION} into {directory} ...")
    fetched = install(directory)
    say(f"Triton is in {fetched.root}.")
    return fetched


def serve(server_install: TritonInstall, models: Path | None, ports: TritonPorts) -> None:
    """Serves until interrupted, which is the normal end. Raises StackFailed when the server does not start or stay."""
    with tempfile.TemporaryDirectory(prefix="cdvd-triton-") as folder, sigterm_exits():
        server = TritonServer(
            install=server_install,
            models=models or default_models(),
            directory=Path(folder) / "triton",
            log=Path(folder) / "triton.log",
            ports=free_ports(ports),
            name=f"cdvd-{secrets.token_hex(8)}",
        )
        _run(server)


def _run(server: TritonServer) -> None:
    supervisor = Supervisor([SupervisedChild(Child(server.spec()), server.is_ready, server.is_healthy)])
    supervisor.start()
    try:
        while not server.is_ready():
            if supervisor.wait(0.1):
                return
        ports = server.ports
        say(f"Triton serves {server.models.resolve()}.")
        say(f"gRPC {HOST}:{ports.grpc}, HTTP {HOST}:{ports.http}, metrics {HOST}:{ports.metrics}.")
        say(f"Its log is {server.log}.")
        say(f"For workers: CDVD_ENGINE=triton CDVD_TRITON_URLS={server.grpc_address}. Ctrl-C stops.")
        while not supervisor.wait(1.0):
            pass
    except (KeyboardInterrupt, SystemExit):
        say("Stopped.")
    finally:
        supervisor.stop()
