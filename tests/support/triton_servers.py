"""Real Triton servers for tests: fetched from PyPI once per machine, started and stopped by the tests."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from service.errors.startup import RequirementMissing
from service.local.children import Child
from service.local.triton.install import cache_directory, install, require_platform
from service.local.triton.server import TritonServer, free_ports
from tests.support.stack import until


def require_triton() -> None:
    """Skip the test where no Triton from PyPI can run."""
    try:
        require_platform()
    except RequirementMissing as error:
        pytest.skip(str(error))


@contextmanager
def running_triton(models: Path, root: Path) -> Iterator[RunningTriton]:
    """A server on ``models``, with its own files under ``root``."""
    require_triton()
    server = RunningTriton(models, root)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class RunningTriton:
    """A server that a test can kill, pause and start again at the same address."""

    def __init__(self, models: Path, root: Path) -> None:
        name = f"test-{secrets.token_hex(8)}"
        self._server = TritonServer(
            install(cache_directory()),
            models,
            root / name,
            root / f"{name}.log",
            free_ports(),
            name,
            threads=1,
        )
        self._child = Child(self._server.spec())
        self.address = self._server.grpc_address

    def start(self) -> None:
        self._child.start()

        def ready() -> bool:
            assert self._child.running, self._child.log_tail()
            return self._server.is_ready()

        until(ready, "Triton is ready")

    def stop(self) -> None:
        self._child.stop()

    def kill(self) -> None:
        self._child.kill()

    def kill_models(self) -> None:
        """End the processes that run the models; the server stays and says that it is ready."""
        for process in self._process().children():
            process.kill()

    def pause(self) -> None:
        """Stop it for now; it can be killed so."""
        self._process().send_signal(signal.SIGSTOP)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """It accepts connections meanwhile and answers nothing."""
        self.pause()
        try:
            yield
        finally:
            self._process().send_signal(signal.SIGCONT)

    def _process(self) -> psutil.Process:
        assert self._child.pid is not None
        return psutil.Process(self._child.pid)
