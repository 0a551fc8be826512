"""The image for one machine: started as its documentation says, used by curl, stopped and started again."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from tests.compose.compare import compare
from tests.compose.engine import PREFIX_VARIABLE, image_bytes, run, until
from tests.compose.journal import Journal
from tests.compose.scenario import LEAST_PSNR, Clip

IMAGE = "cdvd-all-in-one"
NAME = VOLUME = "cdvd-all-in-one-test"
DOCKERFILE = "docker/all-in-one/Dockerfile"
LOCKED_UP = ("--read-only", "--tmpfs=/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
KEY = re.compile(r"shown only now: (cdvd_[\w-]+)")
STOP_S = 30
"""Time that the engine gives the container; far more than it needs."""


@dataclass(frozen=True)
class OneContainer:
    """One container of the image with a volume of its own, at ``http://127.0.0.1:<port>``."""

    port: int
    settings: Mapping[str, str]
    """Those that the result to compare with was made with."""

    def start(self) -> None:
        """Creates and starts the container, on a file system that it cannot write to."""
        place = [f"--publish=127.0.0.1:{self.port}:8080", f"--volume={VOLUME}:/data"]
        settings = [f"--env={name}={value}" for name, value in self.settings.items()]
        run(["docker", "run", "--detach", f"--name={NAME}", *place, *settings, *LOCKED_UP, IMAGE])
        until(lambda: self.state()["Health"]["Status"] == "healthy", "the container is healthy")

    def stop(self) -> int:
        """Stops the container as ``docker stop`` does; returns the exit code of its main process."""
        run(["docker", "stop", "-t", str(STOP_S), NAME])
        return int(self.state()["ExitCode"])

    def state(self) -> dict[str, Any]:
        """Returns what the engine knows of the container."""
        return dict(json.loads(run(["docker", "inspect", "--format", "{{json .State}}", NAME])))

    def logs(self) -> str:
        """Returns what the container has printed."""
        return run(["docker", "logs", NAME])

    def curl(self, path: str, *options: str) -> str:
        """Returns the body of an answer. Raises CalledProcessError for statuses from 400 up."""
        prefix = shlex.split(os.environ.get(PREFIX_VARIABLE, ""))
        command = ["curl", "--silent", "--show-error", "--fail-with-body", "--max-time", "60", *options]
        return run([*prefix, *command, f"http://127.0.0.1:{self.port}{path}"])


def try_one_container(container: OneContainer, clip: Clip, folder: Path, journal: Journal) -> None:
    """Builds the image and uses it. Raises AssertionError where it does not do what docs/deploy.md says."""
    run(["docker", "build", f"--tag={IMAGE}", f"--file={DOCKERFILE}", "."], timeout_s=3600)
    journal.add(f"`docker build` of {IMAGE}", f"{image_bytes(IMAGE) / 1e6:.0f} MB")
    with _running(container):
        key = _check_start(container, journal)
        job_id = _check_job(container, key, clip, folder, journal)
        _check_restart(container, key, job_id, journal)


@contextmanager
def _running(container: OneContainer) -> Iterator[None]:
    try:
        container.start()
        yield
    except (AssertionError, CalledProcessError):
        with suppress(CalledProcessError):
            print(container.logs())
        raise
    finally:
        for command in (["docker", "rm", "--force", NAME], ["docker", "volume", "rm", "--force", VOLUME]):
            run(command)


def _check_start(container: OneContainer, journal: Journal) -> str:
    """Returns the key that the first start printed."""
    found = KEY.search(container.logs())
    assert found is not None, container.logs()
    assert "<title>" in container.curl("/")
    assert run(["docker", "exec", NAME, "id", "-u"]).strip() == "10001"
    with pytest.raises(CalledProcessError) as refused:
        container.curl("/jobs")
    assert "unauthenticated" in " ".join(refused.value.__notes__)
    version = json.loads(container.curl("/version"))["version"]
    journal.add(
        "`docker run` of the one image", f"healthy; user 10001; cdvd {version}; asks for the printed key"
    )
    return found[1]


def _check_job(container: OneContainer, key: str, clip: Clip, folder: Path, journal: Journal) -> str:
    """Returns the id of a job whose result is that of the embedded service."""
    as_owner = ("--header", f"Authorization: Bearer {key}")
    job_id = str(json.loads(container.curl("/jobs", *as_owner, "--form", f"video=@{clip.sent}"))["id"])

    def ended() -> bool:
        status = json.loads(container.curl(f"/jobs/{job_id}", *as_owner))["status"]
        assert status in ("queued", "running", "succeeded"), status
        return bool(status == "succeeded")

    until(ended, "the job has succeeded", 900)
    result = folder / "one_container.mp4"
    container.curl(f"/jobs/{job_id}/result", *as_owner, "--output", str(result))
    found = compare(result, clip.expected, clip.sent)
    assert found.whole, found
    assert found.worst_psnr >= LEAST_PSNR, found
    journal.add("a job in it, with the key", f"{found.frames} frames; worst frame {found.worst_psnr:.1f} dB")
    return job_id


def _check_restart(container: OneContainer, key: str, job_id: str, journal: Journal) -> None:
    """A new container on the same volume knows the job and the key, and makes no second one."""
    code = container.stop()
    assert code == 0, container.logs()
    assert container.logs().rstrip().endswith("Stopped."), container.logs()
    run(["docker", "rm", NAME])
    container.start()
    assert KEY.search(container.logs()) is None
    job = json.loads(container.curl(f"/jobs/{job_id}", "--header", f"Authorization: Bearer {key}"))
    assert job["status"] == "succeeded", job
    journal.add(
        "`docker stop`, then a new container on its volume", "exit code 0; the job and the key are there"
    )
