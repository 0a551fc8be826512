"""The container's main process: keeps one Triton server running, for everyone on the container's network."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from service.local.children import Child, ChildSpec
from service.local.signals import sigterm_exits
from service.local.supervisor import SupervisedChild, Supervisor
from service.local.triton.install import install
from service.local.triton.server import TritonPorts, TritonServer

SERVER = Path("/opt/triton")
ADDRESSES = ("http-address", "grpc-address", "metrics-address")


def main() -> None:
    """``--install`` fetches the server, for which the image is built; without it the server runs."""
    fetched = install(SERVER)
    if "--install" in sys.argv[1:]:
        return
    threads = os.environ.get("CDVD_ENGINE_THREADS")
    server = TritonServer(
        fetched,
        models=Path("/models"),
        directory=Path("/tmp/triton"),  # programs are loaded from there: not for a file system with noexec
        log=Path("/dev/stderr"),
        ports=TritonPorts(http=8000, grpc=8001, metrics=8002),
        name=f"cdvd-{socket.gethostname()}",
        threads=int(threads) if threads else None,
    )
    _keep_running(SupervisedChild(Child(_for_everyone(server.spec())), server.is_ready, server.is_healthy))


def _for_everyone(spec: ChildSpec) -> ChildSpec:
    """Of options that are given twice Triton takes the last."""
    return replace(spec, command=[*spec.command, *(f"--{name}=0.0.0.0" for name in ADDRESSES)])


def _keep_running(server: SupervisedChild) -> None:
    supervisor = Supervisor([server])
    with sigterm_exits(), suppress(SystemExit):
        supervisor.start()
        try:
            while not supervisor.wait(1.0):
                pass
        finally:
            supervisor.stop()


if __name__ == "__main__":
    main()
