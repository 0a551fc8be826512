"""Videos that the service fetches for the Python client and the command line, from a real server."""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.client import AsyncClient, Client, Job, RequestRejected
from tests.support.animations import picture_bytes
from tests.support.clips import Clip, moving_picture, read_frames, write_clip
from tests.support.command import one_line, run
from tests.support.origin import Manner, Origin, origin
from tests.support.stack import Service, running_stack, until

pytestmark = pytest.mark.integration

PATH = "/clip.mp4"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    settings = {"CDVD_TRANSFER_ALLOW_PRIVATE": "true", "CDVD_TRANSFER_SILENCE_S": "120"}
    with running_stack(tmp_path_factory.mktemp("urls"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(frames=6)).read_bytes()


@pytest.fixture
def server(video: bytes) -> Iterator[Origin]:
    with origin() as running:
        running.files[PATH] = video
        yield running


def test_a_client_sees_the_video_arrive_and_the_result_go(
    service: Service, server: Origin, video: bytes
) -> None:
    release, seen = threading.Event(), list[Job]()
    server.manners[PATH] = [Manner(only=3000, release=release)]

    def show(job: Job) -> None:
        seen.append(job)
        if job.progress.bytes_done:
            release.set()

    with Client(service.url) as client:
        asked = {"output_url": f"{server.url}/put", "idempotency_key": "once"}
        job = client.submit_url(server.url + PATH, crf=30, **asked)
        again = client.submit_url(server.url + PATH, crf=30, **asked)
        assert (job.input, job.progress.stage, again.id) == (None, "fetching", job.id)
        done = client.wait(job.id, on_change=show)
        sent = until(
            lambda: (h := client.job(job.id).handover) and h.state == "delivered" and h, "the result is sent"
        )

    arriving = next(job for job in seen if job.progress.bytes_done)
    assert (arriving.input, arriving.progress.bytes_total) == (None, len(video))
    assert (done.status, done.options["crf"]) == ("succeeded", 30)
    assert done.input
    assert (done.input.filename, done.input.sha256) == ("clip.mp4", hashlib.sha256(video).hexdigest())
    assert (sent.attempts, sent.last_answer) == (1, "200")
    assert done.output
    assert hashlib.sha256(server.of("PUT", "/put")[-1].body).hexdigest() == done.output.sha256


def test_the_client_for_asyncio_does_the_same(service: Service, server: Origin, tmp_path: Path) -> None:
    async def restore() -> tuple[Job, Job]:
        async with AsyncClient(service.url) as client:
            job = await client.submit_url(server.url + PATH, output_url=f"{server.url}/put", codec="hevc")
            done = await client.wait(job.id)
            again = await client.submit_again(job.id, crf=30, strict=False)
            await client.wait(again.id)
            await client.download_side_by_side(again.id, both, on_made=lambda *at: made.append(at))
            return done, again

    both, made = tmp_path / "both.mp4", list[tuple[int, int]]()
    done, again = asyncio.run(restore())

    assert (done.status, done.options["codec"]) == ("succeeded", "hevc")
    assert (again.filename, again.options["codec"], again.options["crf"]) == ("clip.mp4", "h264", 30)
    assert made[0] == (0, 6)
    assert len(read_frames(both)) == 6
    until(lambda: server.of("PUT", "/put"), "the result is sent")


def test_the_command_line_does_the_same(service: Service, server: Origin) -> None:
    release = threading.Event()
    server.manners[PATH] = [Manner(only=3000, release=release)]
    options = ("--codec", "hevc", "--set", "crf=30", "--set", f"output_url={server.url}/put")
    job_id = one_line(run("submit", server.url + PATH, *options, "--url", service.url).stdout)
    until(lambda: service.job(job_id)["progress"]["bytes_done"], "the beginning of the video")
    line = run("status", job_id, "--url", service.url).stdout
    (listed,) = [row for row in run("list", "--url", service.url).stdout.splitlines() if job_id in row]
    release.set()
    watched = run("watch", job_id, "--url", service.url)
    options_of = service.job(job_id)["options"]

    assert line.startswith("queued: 2.9 KiB of ")
    assert "clip.mp4" in listed
    assert (watched.returncode, options_of["codec"], options_of["crf"]) == (0, "hevc", 30)
    until(lambda: server.of("PUT", "/put"), "the result is sent")


def test_a_list_holds_addresses_and_directories_of_pictures(
    service: Service, server: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "shot").mkdir()
    for number in range(3):
        picture = picture_bytes(moving_picture(number), "png")
        (tmp_path / "shot" / f"{number:04}.png").write_bytes(picture)
    lines = ({"input": server.url + PATH, "output": "far.mkv"}, {"input": "shot", "fps": 50})
    (tmp_path / "jobs.jsonl").write_text("\n".join(map(json.dumps, lines)))
    command = ("deblur", "--jobs-file", tmp_path / "jobs.jsonl", "--json", "--url", service.url)
    ran = run(*command)
    assert ran.returncode == 0, ran.stderr
    far, shot, counts = map(json.loads, ran.stdout.splitlines())

    assert counts == {"done": 2, "skipped": 0, "failed": 0}
    assert (far["source"], len(read_frames(tmp_path / "far.mkv"))) == (server.url + PATH, 6)
    assert (shot["job"]["input"]["fps"], len(read_frames(tmp_path / "shot_deblurred.mp4"))) == (50, 3)
    assert json.loads(run(*command).stdout.splitlines()[-1]) == {"done": 0, "skipped": 2, "failed": 0}


def test_the_command_line_checks_before_it_asks(service: Service) -> None:
    bad = run("submit", "http://127.0.0.1/clip.mp4", "--set", "crf=99", "--url", service.url)
    refused = run("submit", "https://user:word@example.org/clip.mp4", "--url", service.url)

    assert (bad.returncode, "crf" in bad.stderr) == (2, True)
    assert (refused.returncode, "no name and password" in refused.stderr) == (3, True)


def test_an_address_that_cannot_be_fetched_is_refused_at_once(service: Service) -> None:
    with Client(service.url) as client, pytest.raises(RequestRejected) as refused:
        client.submit_url("https://user:word@example.org/clip.mp4")

    assert refused.value.code == "address_refused"
