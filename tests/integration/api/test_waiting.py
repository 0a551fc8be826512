"""Answers that wait for the end of a job."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
import redis

from tests.support.api_keys import redis_url
from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, SLOW, PacedService, paced_stack, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("waiting")) as running:
        yield running


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", Clip(frames=4))


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


def held(service: PacedService, clip: Path) -> str:
    """The id of a job that goes on when the test lets it."""
    job_id = service.submit_held(clip)
    service.until_held()
    return job_id


def readers(client: redis.Redis) -> int:
    """How many connections wait for events."""
    return sum(one["cmd"] == "xread" for one in client.client_list())


def test_those_who_wait_are_answered_when_the_job_ends(
    service: PacedService, clip: Path, pool: ThreadPoolExecutor
) -> None:
    job_id = held(service, clip)
    with redis.Redis.from_url(redis_url(service)) as client:
        paths = (f"/jobs/{job_id}?wait=60", f"/jobs/{job_id}/result?wait=60")
        waiting: list[Future[httpx.Response]] = [pool.submit(service.http.get, path) for path in paths * 4]
        until(lambda: readers(client), "a reader of the job's events")
        assert not any(answer.done() for answer in waiting)
        assert readers(client) == 1
        service.pace.release()
        answers = [answer.result() for answer in waiting]

    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].json()["status"] == "succeeded"
    assert "retry-after" not in answers[0].headers
    assert len(answers[1].content) == answers[0].json()["output"]["bytes"]


def test_a_deletion_ends_the_wait(service: PacedService, clip: Path, pool: ThreadPoolExecutor) -> None:
    job_id = held(service, clip)
    waiting = pool.submit(service.http.get, f"/jobs/{job_id}", params={"wait": 60})
    assert service.http.post(f"/jobs/{job_id}/cancel").status_code == 202

    assert waiting.result().json()["status"] == "canceled"
    service.pace.release()


def test_time_that_is_over_gives_the_job_as_it_is(service: PacedService, clip: Path) -> None:
    job_id = held(service, clip)
    shown = service.http.get(f"/jobs/{job_id}", params={"wait": 1})
    result = service.http.get(f"/jobs/{job_id}/result", params={"wait": 1})

    assert (shown.status_code, shown.json()["status"]) == (200, "running")
    assert (result.status_code, result.json()["code"]) == (409, "job_not_finished")
    assert int(shown.headers["retry-after"]) >= 1 <= int(result.headers["retry-after"])
    assert service.http.get(f"/jobs/{job_id}", params={"wait": 61}).status_code == 422
    service.pace.release()


def test_a_submission_may_wait_for_its_end(service: PacedService, clip: Path) -> None:
    def posted(prefer: str, model: str) -> httpx.Response:
        with clip.open("rb") as file:
            return service.http.post(
                "/jobs", data={"model": model}, files={"video": file}, headers={"Prefer": prefer}
            )

    over = posted("respond-async, wait=100", QUICK)
    assert (over.status_code, over.json()["status"]) == (202, "succeeded")
    assert over.headers["preference-applied"] == "wait=60"
    service.pace.hold()
    early = posted("wait=1", SLOW)
    assert early.json()["status"] in ("queued", "running")
    assert early.headers["preference-applied"] == "wait=1"
    assert "preference-applied" not in posted("handling=lenient; wait=5", QUICK).headers
    service.pace.release()


def test_curl_saves_no_error_as_a_video(service: PacedService, clip: Path, tmp_path: Path) -> None:
    """The lines of docs/api.md."""
    job = f"{service.url}/jobs/{held(service, clip)}"
    folder = tmp_path / "downloads"
    folder.mkdir()

    def curl(wait_s: int) -> int:
        command = ["curl", "-sSf", "-OJ", f"{job}/result?wait={wait_s}"]
        return subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120).returncode

    assert curl(1) == 22
    assert list(folder.iterdir()) == []
    service.pace.release()
    assert curl(60) == 0
    (video,) = folder.iterdir()
    assert video.name == "clip_deblurred.mp4"
    assert video.stat().st_size > 1000
