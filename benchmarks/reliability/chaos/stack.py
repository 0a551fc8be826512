"""A whole service as processes that can be killed, stopped, copied, cut off from each other and started again.

Beside `cdvd up` there are a second gateway and a second worker, as if on another host: they reach Redis over links that
can go bad, and the second worker has its windows restored by a server of models behind such a link, too.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

import psutil

from benchmarks.reliability.chaos.clock import Clock
from benchmarks.reliability.chaos.links import Link
from benchmarks.reliability.chaos.processes import await_ready, free_port, run
from tests.support.fake_engines import IdentityEngine
from tests.support.paced_triton import paced_triton

PARTS = {"worker": "service.worker", "gateway": "service.api", "redis": "redis-server"}
"""Words in the command line of each part."""
OTHERS = {"second worker": "service.worker", "second gateway": "service.api"}
"""Modules of the parts beside ``cdvd up``."""


class Stack:
    """``cdvd up`` with a second worker, always at the same address."""

    def __init__(self, data: Path, models: Path, model: str) -> None:
        self.data = data
        self.links: dict[str, Link] = {}
        """Between parts, by their names."""
        self.clock, self.other_clock = (Clock(data.with_name(name)) for name in ("clock", "other-clock"))
        self._settings = {"CDVD_MODELS": str(models), "CDVD_MODEL": model}
        self._port, self._other_port = free_port(), free_port()
        self._up: subprocess.Popen[bytes] | None = None
        self._others: dict[str, subprocess.Popen[bytes]] = {}
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        servers = {self._settings["CDVD_MODEL"]: IdentityEngine()}
        triton = self._resources.enter_context(paced_triton(servers, {}))
        redis = [Link(lambda: self.data / "run" / "redis.sock") for _ in OTHERS]
        names = [f"{name} and Redis" for name in OTHERS]
        self.links = dict(zip(names, redis, strict=True))
        self.links["second worker and Triton"] = Link(lambda: ("127.0.0.1", triton.port))
        for link in self.links.values():
            self._resources.enter_context(link)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._resources.close()

    @property
    def urls(self) -> tuple[str, str]:
        """Where its gateways are reached; the first is that of ``cdvd up``."""
        first, second = (f"http://127.0.0.1:{port}" for port in (self._port, self._other_port))
        return first, second

    def start(self) -> None:
        """Starts what does not run and returns when jobs are worked on. Raises TimeoutError."""
        if not self.is_up:
            command = [sys.executable, "-m", "service.cli", "up", "--model", self._settings["CDVD_MODEL"]]
            own = ["--port", str(self._port), "--data", str(self.data)]
            settings = {"CDVD_ENGINE": "onnx", **self.clock.settings}
            self._up = self._run([*command, *own], "up", settings)
        self.await_ready()
        for name, module in OTHERS.items():
            if name not in self._others or self._others[name].poll() is not None:
                settings = self._settings_of(name)
                self._others[name] = self._run([sys.executable, "-m", module], name, settings)

    def _settings_of(self, name: str) -> dict[str, str]:
        return {
            "CDVD_REDIS_URL": f"redis://127.0.0.1:{self.links[f'{name} and Redis'].port}/0",
            "CDVD_DATA": str(self.data),
            "CDVD_WORKER_NAME": "second",
            "CDVD_CLAIM_TTL_S": "10",
            "CDVD_ENGINE": "triton",
            "CDVD_TRITON_URLS": f"127.0.0.1:{self.links['second worker and Triton'].port}",
            "CDVD_TRITON_TIMEOUT_S": "10",
            "CDVD_TRITON_SHARED_MEMORY": "false",
            "CDVD_DEFAULT_QUALITY": "fast",
            "CDVD_PORT": str(self._other_port),
            **self.other_clock.settings,
        }

    def await_ready(self) -> None:
        """Returns when ``/readyz`` says so. Raises TimeoutError."""
        await_ready(self.urls[0], self._log("up"))

    @property
    def is_up(self) -> bool:
        """Whether ``cdvd up`` still runs."""
        return self._up is not None and self._up.poll() is None

    def part(self, name: str) -> psutil.Process | None:
        """Returns a process of ``cdvd up``, or one beside it; None while there is none."""
        if name in OTHERS:
            return _process(self._others.get(name))
        found = [
            one for one in self._children() if PARTS[name] in _command(one) and "launch" not in _command(one)
        ]
        return found[0] if found else None

    def kill_all(self) -> None:
        """Kills every process at once, as a loss of power would."""
        for process in self._all():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._reap()

    def lose_power(self, elsewhere: Path) -> None:
        """Kills everything, and leaves a copy of the data as it was at one moment; later bytes are lost."""
        processes = list(self._all())
        _signal(processes, signal.SIGSTOP)
        shutil.copytree(self.data, elsewhere, ignore=shutil.ignore_patterns("run", "*.sock"))
        self.kill_all()
        shutil.rmtree(self.data, ignore_errors=True)
        self.data = elsewhere

    def stop(self) -> None:
        """Ends everything in good order."""
        for process in self._roots():
            if process.poll() is None:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(60)
        self.kill_all()

    def _roots(self) -> list[subprocess.Popen[bytes]]:
        return [*self._others.values(), *([self._up] if self._up else [])]

    def _all(self) -> Iterable[psutil.Process]:
        roots = [process for process in map(_process, self._roots()) if process]
        return [*(child for root in roots for child in _tree(root)), *roots]

    def _children(self) -> list[psutil.Process]:
        root = _process(self._up)
        return _tree(root) if root else []

    def _reap(self) -> None:
        for process in self._roots():
            process.kill()
            process.wait()

    def _run(self, command: list[str], name: str, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return run(command, self._log(name), {**self._settings, **settings})

    def _log(self, name: str) -> Path:
        return self.data.parent / f"{name}.log"


def _process(popen: subprocess.Popen[bytes] | None) -> psutil.Process | None:
    if popen is None or popen.poll() is not None:
        return None
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(popen.pid)
    return None


def _tree(root: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return root.children(recursive=True)
    return []


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
