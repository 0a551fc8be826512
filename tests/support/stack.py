"""The real service for integration tests: embedded, with models of the tests, over HTTP."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx

from service.embedded import EmbeddedOptions, EmbeddedStack
from tests.support.fake_engines import IdentityEngine
from tests.support.models import write_model
from tests.support.paced_triton import PacedTriton, paced_triton

QUICK, SLOW = "quick", "slow"
PATIENCE_S = 240.0
"""Never reached where all is well, on however slow a machine."""


def write_models(directory: Path) -> Path:
    """Models that both return their frames unchanged; ``slow`` at the pace of the test in a ``paced_stack``."""
    if not directory.exists():
        for name in (QUICK, SLOW):
            write_model(directory, name)
    return directory


@contextmanager
def held_engine(host: str = "127.0.0.1") -> Iterator[PacedTriton]:
    """A server of both models, where windows of ``slow`` wait until the test lets them pass."""
    with paced_triton({QUICK: IdentityEngine()}, {SLOW: IdentityEngine()}, host) as server:
        yield server


@contextmanager
def paced_stack(root: Path, settings: Mapping[str, str] | None = None) -> Iterator[PacedService]:
    """As ``running_stack``, with an engine that restores at the pace of the test."""
    with held_engine() as server, running_stack(root, {**server.settings(), **(settings or {})}) as service:
        yield PacedService(service.http, service.data, server)


@contextmanager
def running_stack(root: Path, settings: Mapping[str, str] | None = None) -> Iterator[Service]:
    """A service whose data is ``root``/data; ``settings`` are ``CDVD_...`` variables of its processes."""
    options = EmbeddedOptions(
        data=root / "data", models=write_models(root / "models"), model=QUICK, start_timeout_s=PATIENCE_S
    )
    with (
        started_stack(options, settings or {}) as stack,
        httpx.Client(base_url=stack.url, timeout=PATIENCE_S, trust_env=False) as http,
    ):
        yield Service(http, root / "data")


@contextmanager
def started_stack(options: EmbeddedOptions, settings: Mapping[str, str]) -> Iterator[EmbeddedStack]:
    """A service with these ``CDVD_...`` variables, which nothing else of this process sees once it is started."""
    stack = EmbeddedStack(options)
    with patch.dict(os.environ, settings):
        stack.start()
    try:
        yield stack
    finally:
        stack.stop()


def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Ask again until ``condition`` gives something true, and return that."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {patience_s:g} s: {what}")


class Service:
    """What tests do with a running service."""

    def __init__(self, http: httpx.Client, data: Path) -> None:
        self.http = http
        self.data = data

    @property
    def url(self) -> str:
        """Without a slash at the end."""
        return str(self.http.base_url).rstrip("/")

    def post(self, path: Path, filename: str | None = None, **fields: str) -> httpx.Response:
        with path.open("rb") as file:
            return self.http.post("/jobs", data=fields, files={"video": (filename or path.name, file)})

    def submit(self, path: Path, filename: str | None = None, **fields: str) -> str:
        """Send a video that is taken; returns the job's id."""
        answer = self.post(path, filename, **fields)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def until_status(self, job_id: str, status: str) -> dict[str, Any]:
        """Wait for a status; another final one fails at once."""

        def reached() -> dict[str, Any] | None:
            job = self.job(job_id)
            if job["status"] not in ("queued", "running", status):
                raise AssertionError(f"the job is {job['status']}, not {status}: {job['error']}")
            return job if job["status"] == status else None

        return dict(until(reached, f"job {status}"))

    def until_frames(self, job_id: str, frames: int) -> None:
        """Wait until so many frames are restored."""
        until(lambda: self.job(job_id)["progress"]["frames_done"] >= frames, f"{frames} frames")

    def files(self) -> set[str]:
        """Everything of uploads and jobs on disk, relative to the data directory."""
        folders = ("incoming", "jobs", "trash")
        found = (path for folder in folders for path in (self.data / folder).rglob("*"))
        return {str(path.relative_to(self.data)) for path in found}

    def lasting_files(self) -> set[str]:
        """Those that stay: pieces go to the trash, and from there, a little after their jobs have ended."""
        return {name for name in self.files() if "/pieces" not in name and not name.startswith("trash")}


class PacedService(Service):
    """A service whose model ``slow`` restores no frame before the test lets it."""

    def __init__(self, http: httpx.Client, data: Path, server: PacedTriton) -> None:
        super().__init__(http, data)
        self.server = server
        self.pace = server.pace

    def submit_held(self, path: Path, **fields: str) -> str:
        """Send a video whose frames wait from now on; returns the job's id."""
        self.pace.hold()
        return self.submit(path, model=SLOW, **fields)

    def until_held(self) -> None:
        """Wait until a window is at the engine, and stays there."""
        until(lambda: self.pace.waiting, "a window at the engine")

    def let_frames(self, job_id: str, frames: int) -> None:
        """Let so many frames of a held job pass, rounded up to windows, and wait until they are restored."""
        self.pace.let(frames)
        self.until_frames(job_id, frames)
