"""The stack under a Docker engine, driven by ``docker compose`` and ``curl`` as a user would."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "cdvd-compose-test"
BASE_FILE, CPU_FILE = "docker-compose.yml", "docker/compose.cpu.yml"
GATE_FILE = "tests/compose/gate.yml"
PREFIX_VARIABLE = "COMPOSE_TEST_EXEC"
"""A command that runs another one where the published port is, for engines whose network is not ours."""
POLL_S = 0.5
KILL = "import os, signal; os.kill({pid}, signal.SIGKILL)"


@dataclass(frozen=True)
class Stack:
    """One compose project of the test's own, at ``http://127.0.0.1:<port>``."""

    files: Sequence[str]
    settings: Mapping[str, str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, timeout_s: float = 900.0) -> str:
        """What ``docker compose ...`` prints. Raises CalledProcessError with its complaint in the notes."""
        files = [word for name in self.files for word in ("--file", name)]
        settings = {**self.settings, "CDVD_PUBLISH": f"127.0.0.1:{self.port}"}
        return run(["docker", "compose", "--project-name", PROJECT, *files, *arguments], timeout_s, settings)

    def containers(self, service: str) -> list[dict[str, Any]]:
        """``docker inspect`` of a service's containers, the oldest first."""
        ids = self.compose("ps", "--all", "--quiet", service).split()
        found = json.loads(run(["docker", "inspect", *ids])) if ids else []
        return sorted(found, key=lambda one: str(one["Created"]))

    def kill(self, service: str) -> str:
        """SIGKILL for the main process of a service's first container, behind the engine's back; its id.

        ``docker kill`` would not do: the engine restarts only what ends without having been told to.
        """
        container = self.containers(service)[0]
        kill = KILL.format(pid=container["State"]["Pid"])
        helper = ["docker", "run", "--rm", "--pid=host", "--user=0", "--network=none", "--entrypoint=python"]
        run([*helper, "cdvd-worker", "-c", kill])
        return str(container["Id"])

    def stops(self, service: str) -> int:
        """How many containers of a service have been sent SIGTERM so far."""
        filters = ["event=kill", f"label=com.docker.compose.project={PROJECT}"]
        filters.append(f"label=com.docker.compose.service={service}")
        options = [word for one in filters for word in ("--filter", one)]
        command = [
            "docker",
            "events",
            "--since",
            "10m",
            "--until",
            "0s",
            "--format",
            "{{.Actor.Attributes.signal}}",
        ]
        return run([*command, *options]).split().count("15")

    def inside(self, container: str, code: str) -> str:
        """What a piece of Python prints in a container."""
        return run(["docker", "exec", container, "python", "-c", code])

    def curl(self, path: str, *options: str) -> str:
        """The body of an answer. Raises CalledProcessError for statuses from 400 up, and without an answer."""
        prefix = shlex.split(os.environ.get(PREFIX_VARIABLE, ""))
        command = ["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "60", *options]
        return run([*prefix, *command, self.url + path])


def missing() -> str | None:
    """What this machine lacks for the test; None if nothing."""
    for program in ("docker", "curl"):
        if shutil.which(program) is None:
            return f"there is no {program}"
    for command in (["docker", "info"], ["docker", "compose", "version"]):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            return f"`{' '.join(command)}` fails: no Docker engine is running, or this user may not use it"
    return None


def image_bytes(name: str) -> int:
    """The size of an image on disk, its base included."""
    return int(run(["docker", "image", "inspect", "--format", "{{.Size}}", name]))


def run(
    command: Sequence[str], timeout_s: float = 900.0, environment: Mapping[str, str] | None = None
) -> str:
    """The output of a command in the project's directory. Raises CalledProcessError with notes."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        error = subprocess.CalledProcessError(done.returncode, list(command))
        error.add_note((done.stdout + done.stderr)[-4000:])
        raise error
    return done.stdout


def until(condition: Callable[[], Any], what: str, patience_s: float = 300.0) -> Any:
    """Ask again until ``condition`` gives something true, and return that; commands that fail are tried again."""
    deadline, last = time.monotonic() + patience_s, ""
    while time.monotonic() < deadline:
        try:
            if found := condition():
                return found
        except subprocess.CalledProcessError as error:
            last = " ".join(error.__notes__)
        time.sleep(POLL_S)
    raise AssertionError(f"not within {patience_s:g} s: {what}. {last}")
