"""The service that all examples use: with keys, and open to the page of the browser's example."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.redis_state.connection import connect
from service.tenancy.api_keys import KeyRing
from service.webhooks.signature import new_secret
from tests.support.api_keys import USUAL, redis_url
from tests.support.clips import Clip, write_clip
from tests.support.origin import Origin, origin
from tests.support.stack import PacedService, paced_stack

EXAMPLES = Path(__file__).parents[3] / "examples"
FRAMES = 12
VIDEO = "/shaky%20hand.mp4"


@dataclass(frozen=True)
class Used:
    """A service, and what its users know of it."""

    service: PacedService
    key: str
    page_port: int
    """Where a page may be that uses it, at ``localhost``."""
    secret: str
    """Signs its webhooks."""

    def environment(self, **more: str) -> dict[str, str]:
        """What the examples are started with."""
        return {**os.environ, "CDVD_URL": self.service.url, "CDVD_KEY": self.key, "NO_PROXY": "*", **more}


@pytest.fixture(scope="package")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Used]:
    port, secret = free_port(), new_secret()
    settings = {
        "CDVD_CORS_ORIGINS": f'["http://localhost:{port}"]',
        "CDVD_WEBHOOK_SECRET": secret,
        "CDVD_WEBHOOK_FIRST_DELAY_S": "0.05",
        "CDVD_WEBHOOK_ALLOW_PRIVATE": "true",
        "CDVD_TRANSFER_ALLOW_PRIVATE": "true",
    }
    with paced_stack(tmp_path_factory.mktemp("examples"), settings) as service:
        with connect(redis_url(service)) as client:
            _, key = KeyRing(client).create("examples", USUAL)
        service.http.headers["Authorization"] = f"Bearer {key}"
        yield Used(service, key, port, secret)


@pytest.fixture(scope="package")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("clips") / "shaky hand.mp4"
    return write_clip(where, Clip(frames=FRAMES, audio="aac"))


@pytest.fixture
def videos(clip: Path) -> Iterator[Origin]:
    """Somebody's server with the clip, which takes results as well."""
    with origin() as server:
        server.files[VIDEO] = clip.read_bytes()
        yield server


def npm(*arguments: str, folder: Path) -> None:
    """Runs npm as it comes with the tests. Raises CalledProcessError with what it prints."""
    commands = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    command = [commands / "npm", *arguments, "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True, timeout=300
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
