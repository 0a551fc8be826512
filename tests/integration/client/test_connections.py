"""The Python client against the real service, over connections that break."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from service.client import AsyncClient, Client, Description, Job, RequestRejected
from tests.support.clips import Clip, read_frames, write_clip
from tests.support.cutting_proxy import CuttingProxy, cutting
from tests.support.stack import QUICK, SLOW, PacedService, Service, paced_stack, until

pytestmark = pytest.mark.integration

JPEG = b"\xff\xd8"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture
def proxy(service: Service) -> Iterator[CuttingProxy]:
    url = service.http.base_url
    with cutting(url.host, url.port or 80) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "hand held.mp4", Clip(frames=12))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def jobs_of(client: Client, clip: Path) -> list[str]:
    return [job.id for job in client.jobs() if job.input and job.input.filename == clip.name]


def test_a_download_that_is_cut_goes_on_and_is_whole(proxy: CuttingProxy, clip: Path, tmp_path: Path) -> None:
    with Client(proxy.url) as client:
        job = client.wait(client.submit(clip).id)
        assert job.output
        proxy.cut_down[:] = [job.output.bytes // 2, job.output.bytes // 4]
        received: list[int] = []
        client.download(job.id, tmp_path / "out.mp4", on_received=lambda done, _total: received.append(done))
    assert proxy.cuts == 2
    assert received == sorted(set(received))  # nothing came twice
    assert sha256(tmp_path / "out.mp4") == job.output.sha256
    assert list(tmp_path.iterdir()) == [tmp_path / "out.mp4"]


def test_an_upload_that_is_cut_goes_on_and_is_whole(proxy: CuttingProxy, tmp_path: Path) -> None:
    video = tmp_path / "large.mp4"
    write_clip(video, Clip(frames=12))
    with video.open("ab") as file:  # players pass over what follows the last box
        size = 3 << 20
        file.write(size.to_bytes(4, "big") + b"free" + os.urandom(size - 8))
    proxy.cut_up[:] = [1 << 20, 1 << 20]
    sent: list[int] = []
    with Client(proxy.url) as client:
        job = client.submit(video, resumable_from=0, on_sent=lambda done, _total: sent.append(done))
        job = client.wait(job.id)
    assert proxy.cuts == 2
    assert job.status == "succeeded"
    assert job.input
    assert (job.input.sha256, job.input.filename) == (sha256(video), "large.mp4")
    assert sent[-1] == video.stat().st_size


def test_a_form_that_is_cut_is_sent_again_and_makes_one_job(proxy: CuttingProxy, tmp_path: Path) -> None:
    video = write_clip(tmp_path / "once.mp4", Clip(frames=6))
    proxy.cut_up[:] = [video.stat().st_size // 2]
    with Client(proxy.url) as client:
        job = client.submit(video)
        assert proxy.cuts == 1
        assert jobs_of(client, video) == [job.id]


def test_a_submit_whose_answer_is_lost_makes_one_job(proxy: CuttingProxy, tmp_path: Path) -> None:
    video = write_clip(tmp_path / "answered.mp4", Clip(frames=6))
    proxy.cut_down[:] = [1]
    with Client(proxy.url) as client:
        job = client.submit(video)
        assert jobs_of(client, video) == [job.id]


def test_waiting_and_events_survive_a_gateway_that_restarts(
    service: PacedService, clip: Path, tmp_path: Path
) -> None:
    seen: list[Job] = []

    def restart_once(job: Job) -> None:
        seen.append(job)
        if len(seen) == 1:
            _kill_gateway()
            service.pace.release()

    service.pace.hold()
    with Client(service.url) as client:
        job = client.submit(clip, options={"model": SLOW})
        ended = client.wait(job.id, on_change=restart_once)
        assert ended.status == "succeeded"
        assert len(seen) == len(set(map(repr, seen))) > 1

        ids, restarts = [], 0
        service.pace.let(12)
        again = client.submit(
            write_clip(tmp_path / "two windows.mp4", Clip(frames=24)), options={"model": SLOW}
        )
        for event in client.events(again.id):
            ids.append(event.id)
            if event.type == "progress" and not restarts:
                restarts += 1
                _kill_gateway()
                service.pace.release()
        assert restarts == 1
        assert ids == [event.id for event in client.events(again.id)]  # none lost, none twice
        assert ids[2:] == [event.id for event in client.events(again.id, after=ids[1])]


def _kill_gateway() -> None:
    """Its listening socket is the stack's, and stays; a new one is started at once."""
    children = psutil.Process().children(recursive=True)
    (gateway,) = [child for child in children if child.cmdline()[-2:] == ["-m", "service.api"]]
    gateway.send_signal(signal.SIGKILL)
    until(lambda: not gateway.is_running() or gateway.status() == psutil.STATUS_ZOMBIE, "the gateway's end")


def test_a_job_is_submitted_followed_listed_fetched_and_deleted(
    service: Service, clip: Path, tmp_path: Path
) -> None:
    with Client(service.url) as client:
        assert QUICK in [model["name"] for model in client.models()]
        job = client.submit(clip, options={"crf": "20"})
        fractions: list[float] = []
        job = client.wait(job.id, on_change=lambda job: fractions.append(job.progress.fraction))
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
        assert job.options["crf"] == 20
        assert [event.type for event in client.events(job.id)][-1] == "status"
        assert job in list(client.jobs(status="succeeded", page_size=1))
        assert client.report(job.id)["frames_out"] == 12
        assert client.sharpness(job.id).complete
        assert client.preview(job.id, 3, view="side").startswith(JPEG)
        assert len(read_frames(client.download(job.id, tmp_path / "out.mp4"))) == 12
        described = client.estimate(Description(width=64, height=64, frames=12))
        assert (described.frames, described.basis) == (12, "measured")
        assert client.estimate_file(clip).frames == 12
        with pytest.raises(RequestRejected) as refused:
            client.cancel(job.id)
        assert (refused.value.code, refused.value.status) == ("job_state_conflict", 409)
        client.delete(job.id)
        with pytest.raises(RequestRejected, match=r"."):
            client.job(job.id)


def test_a_canceled_job_is_retried(service: PacedService, tmp_path: Path) -> None:
    service.pace.hold()
    video = write_clip(tmp_path / "long.mp4", Clip(frames=12))
    with Client(service.url) as client:
        job = client.submit(video, options={"model": SLOW})
        client.cancel(job.id)
        assert client.wait(job.id).status == "canceled"
        assert not client.retry(job.id).finished
        client.delete(job.id)


def test_the_asynchronous_client_takes_the_same_walk(proxy: CuttingProxy, clip: Path, tmp_path: Path) -> None:
    half = clip.stat().st_size // 2

    async def walk() -> None:
        async with AsyncClient(proxy.url) as client:
            assert QUICK in [model["name"] for model in await client.models()]
            proxy.cut_up[:] = [half]
            job = await client.submit(clip, resumable_from=0)
            assert proxy.cuts == 1
            fractions: list[float] = []
            job = await client.wait(job.id, on_change=lambda job: fractions.append(job.progress.fraction))
            assert fractions == sorted(fractions)
            assert job.output
            assert [event.type async for event in client.events(job.id)][-1] == "status"
            assert job in [each async for each in client.jobs(status="succeeded", page_size=1)]
            assert (await client.job(job.id)) == job
            assert (await client.report(job.id))["frames_out"] == 12
            assert (await client.sharpness(job.id)).complete
            assert (await client.preview(job.id, 3)).startswith(JPEG)
            proxy.cut_down[:] = [job.output.bytes // 2]
            output = await client.download(job.id, tmp_path / "out.mp4")
            assert proxy.cuts == 2
            assert sha256(output) == job.output.sha256
            assert (await client.estimate(Description(width=64, height=64, frames=12))).frames == 12
            assert (await client.estimate_file(clip)).frames == 12
            for refused in (client.cancel, client.retry):
                with pytest.raises(RequestRejected):
                    await refused(job.id)
            await client.delete(job.id)

    asyncio.run(walk())


def test_waiting_asynchronously_can_be_canceled(service: PacedService, tmp_path: Path) -> None:
    service.pace.hold()
    video = write_clip(tmp_path / "long.mp4", Clip(frames=12))

    async def walk() -> None:
        async with AsyncClient(service.url) as client:
            job = await client.submit(video, options={"model": SLOW})
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.wait(job.id)
            await client.delete(job.id)

    asyncio.run(walk())


def test_more_waits_than_a_pool_has_connections_get_on(service: PacedService, clip: Path) -> None:
    service.pace.hold()
    seen: list[Job] = []

    def release_in_the_middle(job: Job) -> None:
        seen.append(job)
        if len(seen) == 50:
            service.pace.release()

    async def walk() -> None:
        async with AsyncClient(service.url) as client, asyncio.timeout(60):
            job = await client.submit(clip, options={"model": SLOW})
            ended = await asyncio.gather(
                *(client.wait(job.id, on_change=release_in_the_middle) for _ in range(110))
            )
            assert {job.status for job in ended} == {"succeeded"}

    asyncio.run(walk())


def test_a_resumable_upload_that_is_no_video_leaves_nothing(service: Service, tmp_path: Path) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("This is not a video. " * 50)
    with Client(service.url) as client, pytest.raises(RequestRejected) as refused:
        client.submit(notes, resumable_from=0)
    assert (refused.value.code, refused.value.status) == ("not_a_video", 415)
    assert [path for path in (service.data / "uploads").rglob("*") if path.is_file()] == []
