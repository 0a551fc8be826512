"""Jobs from the video of an earlier job, which is not sent again, and jobs whose video is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, SLOW, PacedService, paced_stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("sources")) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second."""
    return write_clip(tmp_path_factory.mktemp("clips") / "hand held.mp4", Clip(frames=25))


def again(service: PacedService, job_id: str, *headers: tuple[str, str], **fields: str) -> httpx.Response:
    form = {"model": QUICK, "source": job_id, **fields}
    parts = {name: (None, value) for name, value in form.items()}
    return service.http.post("/jobs", files=parts, headers=dict(headers))


def remove_source(service: PacedService, job_id: str) -> None:
    (service.data / "jobs" / job_id / "source").unlink()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_whole_video_follows_the_preview_of_a_part_and_outlives_it(
    service: PacedService, clip: Path
) -> None:
    part = service.submit(clip, model=QUICK, start="0.2", end="0.4", preview="true")
    service.pace.hold()
    answer = again(service, part, model=SLOW)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["id"]
    service.until_held()
    assert service.until_status(part, "succeeded")["input"]["frames"] == 5
    assert service.http.delete(f"/jobs/{part}").status_code == 204
    service.pace.release()
    job = service.until_status(job_id, "succeeded")
    assert (job["input"]["frames"], job["input"]["filename"]) == (25, "hand held.mp4")
    assert service.http.get(f"/jobs/{job_id}/source").content == clip.read_bytes()


def test_the_same_again_is_the_same_job(service: PacedService, clip: Path) -> None:
    first, other = service.submit(clip, model=QUICK), service.submit(clip, model=QUICK)
    key = ("Idempotency-Key", "again")
    answers = [again(service, first, key) for _ in range(2)]
    assert answers[0].json()["id"] == answers[1].json()["id"] != first
    assert code(again(service, other, key)) == (422, "idempotency_key_reused")
    assert code(again(service, first, key, crf="30")) == (422, "idempotency_key_reused")


def test_a_job_without_its_files_cannot_be_repeated(service: PacedService, clip: Path) -> None:
    job_id = service.submit(clip, model=QUICK)
    service.until_status(job_id, "succeeded")
    remove_source(service, job_id)
    before = service.lasting_files()
    assert code(again(service, job_id)) == (410, "result_expired")
    assert code(again(service, "0" * 32)) == (404, "job_not_found")
    assert code(again(service, "../source")) == (404, "job_not_found")
    assert service.lasting_files() == before


def test_a_segment_without_its_source_says_so(service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)
    service.until_held()
    assert service.http.post(f"/jobs/{job_id}/cancel").status_code == 202
    service.until_status(job_id, "canceled")
    service.pace.release()
    remove_source(service, job_id)
    assert service.http.post(f"/jobs/{job_id}/retry").status_code == 202
    error = service.until_status(job_id, "failed")["error"]
    assert (error["code"], "no longer in storage" in error["detail"]) == ("source_missing", True)


def test_a_finish_without_the_source_says_so(service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)
    service.until_held()
    remove_source(service, job_id)
    service.pace.release()
    assert service.until_status(job_id, "failed")["error"]["code"] == "source_missing"


def test_a_form_names_one_video(service: PacedService, clip: Path) -> None:
    job_id = service.submit(clip, model=QUICK)
    assert code(again(service, job_id, upload="0" * 32)) == (400, "malformed_request")
    assert code(service.post(clip, model=QUICK, source=job_id)) == (400, "malformed_request")
    assert code(again(service, job_id, crf="-1")) == (422, "invalid_option")
