"""Processes that are started again where they have ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

READY_S = 120.0
SETTINGS = {"CDVD_SEGMENT_FRAMES": "8", "CDVD_WINDOW_FRAMES": "4", "CDVD_ENGINE_THREADS": "1"}


class Processes:
    """Processes by name, with their output below a directory. Use as a context manager, which ends them."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    def keep(self, name: str, command: list[str], settings: Mapping[str, str]) -> None:
        """Starts a process unless it runs."""
        process = self._running.get(name)
        if process is None or process.poll() is not None:
            self._running[name] = run(command, self._logs / f"{name}.log", settings)

    def send(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a process; one that is killed has ended then."""
        process = self._running[name]
        process.send_signal(number)
        if number is signal.SIGKILL:
            process.wait()

    def await_ready(self, url: str) -> None:
        """Returns when ``/readyz`` says so. Raises TimeoutError."""
        await_ready(url, self._logs / "gateway.log")


def run(command: list[str], log: Path, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Starts a process with these ``CDVD_...`` variables and no others."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("CDVD_")}
    with log.open("ab") as output:
        return subprocess.Popen(
            command, env={**inherited, **SETTINGS, **settings}, stdout=output, stderr=output
        )


def await_ready(url: str, log: Path) -> None:
    """Returns when ``/readyz`` says so. Raises TimeoutError with the end of a log."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", timeout=5, trust_env=False).is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(f"not ready within {READY_S:g} s: {log.read_text()[-2000:]}")


def free_port() -> int:
    """Returns a port that nobody listens at now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
