"""The client and the command line where a key is asked for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.client import Client, RequestRejected
from tests.support.clips import Clip, write_clip
from tests.support.command import complaint, run
from tests.support.stack import SLOW, PacedService, Service, paced_stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("keys")) as running:
        yield running


def created(service: Service, *arguments: str) -> str:
    ran = run("keys", "create", "test", *arguments, "--data", service.data, "--json")
    assert ran.returncode == 0, ran.stderr
    return str(json.loads(ran.stdout)["key"])


@pytest.fixture(scope="module")
def key(service: Service) -> str:
    return created(service)


def test_the_client_shows_its_key(service: Service, key: str, tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.mp4", Clip(frames=6))
    with Client(service.url) as client, pytest.raises(RequestRejected) as refused:
        client.submit(video)
    assert refused.value.status == 401
    with Client(service.url, key=key) as client:
        job = client.wait(client.submit(video, resumable_from=0).id)
        assert [event.type for event in client.events(job.id)][-1] == "status"
        client.download(job.id, tmp_path / "out.mp4")


def test_the_command_line_shows_its_key(service: Service, key: str, tmp_path: Path) -> None:
    video = write_clip(tmp_path / "in.mp4", Clip(frames=6))
    refused = run("submit", video, "--url", service.url)
    assert refused.returncode == 3
    assert "key" in complaint(refused)
    done = run("deblur", video, "--url", service.url, CDVD_KEY=key)
    assert done.returncode == 0, done.stderr
    wrong = run("list", "--url", service.url, CDVD_KEY=f"{key[:-1]}!")
    assert wrong.returncode == 3


def test_several_videos_with_a_key_for_one_job_at_a_time(service: PacedService, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_clip(tmp_path / f"{name}.mp4", Clip(frames=30))
    narrow = created(service, "--jobs", "1")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "deblur", tmp_path, "--model", SLOW, "--url", service.url, CDVD_KEY=narrow)
        service.until_held()
        time.sleep(1)  # for the others to be refused meanwhile
        service.pace.release()
        began = time.monotonic()
        ran = running.result()
    assert ran.returncode == 0, ran.stderr
    assert sum(line.startswith("Wrote ") for line in ran.stdout.splitlines()) == 3
    assert time.monotonic() - began < 30
