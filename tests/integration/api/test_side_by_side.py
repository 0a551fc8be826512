"""One video of an upload beside its result, made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import av
import httpx
import numpy as np
import psutil
import pytest

from service.redis_state.connection import connect
from service.redis_state.key_names import SIDE_BY_SIDE_DUE
from tests.support.api_keys import redis_url
from tests.support.clips import Clip, read_frames, write_clip
from tests.support.stack import PATIENCE_S, QUICK, Service, running_stack, until

pytestmark = pytest.mark.integration
CLIP = Clip(frames=20, audio="aac")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("side")) as running:
        yield running


def ask(service: Service, job_id: str) -> httpx.Response:
    return service.http.get(f"/jobs/{job_id}/side-by-side.mp4")


def made(service: Service, job_id: str, path: Path) -> Path:
    """The video, once it is there."""

    def answered() -> bytes | None:
        answer = ask(service, job_id)
        assert answer.status_code in (200, 202), answer.text
        return answer.content if answer.status_code == 200 else None

    path.write_bytes(until(answered, "the video"))
    return path


def test_before_and_after_share_a_video_with_the_sound_of_the_result(
    service: Service, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "hand held.mp4", CLIP)
    job_id = service.submit(clip, model=QUICK)
    service.until_status(job_id, "succeeded")
    first = ask(service, job_id)
    assert first.status_code == 202
    assert first.json() == {"frames_done": 0, "frames_total": 20, "fraction": 0.0}
    assert int(first.headers["retry-after"]) > 0

    video = made(service, job_id, tmp_path / "side.mp4")
    frames = read_frames(video)
    assert [time for time, _ in frames] == [time for time, _ in read_frames(clip)]
    picture = frames[10][1].to_ndarray(format="rgb24").astype(float)
    assert picture.shape == (64, 2 * 96 + 4, 3)
    for half in (picture[:, :96], picture[:, -96:]):  # this model changes nothing
        assert np.abs(half - CLIP.picture(10)).mean() < 6
    assert np.abs(picture[:, 97:99] - 128).mean() < 40
    with av.open(str(video)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        assert float(container.streams.audio[0].duration * container.streams.audio[0].time_base) > 0.7
    assert "hand held_side_by_side.mp4" in ask(service, job_id).headers["content-disposition"].replace(
        "%20", " "
    )

    before = {name for name in service.files() if job_id in name}
    assert f"jobs/{job_id}/side-by-side.mp4" in before
    assert not [name for name in before if name.endswith((".picture", ".part"))]
    assert service.http.delete(f"/jobs/{job_id}").status_code == 204
    assert not [name for name in service.files() if job_id in name]


def test_videos_that_are_turned_have_upright_halves(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(
        write_clip(tmp_path / "a.mp4", replace(CLIP, rotation=90, audio=None)), model=QUICK
    )
    service.until_status(job_id, "succeeded")
    _, frame = read_frames(made(service, job_id, tmp_path / "side.mp4"))[5]
    picture = frame.to_ndarray(format="rgb24").astype(float)
    assert picture.shape == (96, 2 * 64 + 4, 3)
    assert np.abs(picture[:, :64] - np.rot90(CLIP.picture(5), -1)).mean() < 6


def test_one_worker_at_a_time_makes_it_and_leaves_nothing_when_it_stops(
    service: Service, tmp_path: Path
) -> None:
    job_id = service.submit(write_clip(tmp_path / "a.mp4", Clip(frames=50)), model=QUICK)
    service.until_status(job_id, "succeeded")
    child = until(lambda: held(service, job_id), "a process that makes it")
    try:
        with connect(redis_url(service)) as client:
            leased = [client.zscore(SIDE_BY_SIDE_DUE, job_id)]
            for _ in range(2):  # although nothing is said
                until(lambda: client.zscore(SIDE_BY_SIDE_DUE, job_id) != leased[-1], "the lease is renewed")
                leased.append(client.zscore(SIDE_BY_SIDE_DUE, job_id))
        assert leased == sorted(leased)
        assert ask(service, job_id).status_code == 202
        assert making() == [child]
        (worker,) = (one for one in psutil.Process().children() if "service.worker" in one.cmdline())
        worker.terminate()
        psutil.wait_procs([worker], timeout=PATIENCE_S)
        assert not child.is_running()
        left = {name for name in service.files() if job_id in name and ".part" in name}
        assert not left
    finally:
        with suppress(psutil.NoSuchProcess):
            child.resume()
    assert len(read_frames(made(service, job_id, tmp_path / "side.mp4"))) == 50


def held(service: Service, job_id: str) -> psutil.Process | None:
    """Stops the process that makes a video in the midst of it; has it made again where it was quicker."""
    if ask(service, job_id).status_code == 200:
        (service.data / "jobs" / job_id / "side-by-side.mp4").unlink()
    with suppress(psutil.NoSuchProcess):
        for child in making():
            child.suspend()
            if until(partial(_at_rest, child), "it stops or has ended") == psutil.STATUS_STOPPED:
                return child
    return None


def _at_rest(process: psutil.Process) -> str | None:
    state = str(process.status())
    return state if state in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE) else None


def making() -> list[psutil.Process]:
    """The processes that make such videos."""
    below = psutil.Process().children(recursive=True)
    return [one for one in below if "service.pipeline.side_by_side" in _command(one)]


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return list(process.cmdline())
    return []


def test_what_cannot_be_made_is_said(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_clip(tmp_path / "a.mp4", CLIP), model=QUICK)
    assert ask(service, "0" * 32).json()["code"] == "job_not_found"
    service.until_status(job_id, "succeeded")
    (service.data / "jobs" / job_id / "source").write_bytes(b"no video any more")
    failed = until(lambda: (answer := ask(service, job_id)).status_code != 202 and answer, "an answer")
    assert (failed.status_code, failed.json()["code"]) == (422, "export_failed")
