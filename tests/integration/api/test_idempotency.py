"""Submissions that are repeated."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("idempotency")) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "a.mp4", Clip(frames=4))


def submit(service: Service, content: bytes, key: str, **fields: str) -> httpx.Response:
    return service.http.post(
        "/jobs",
        files={"video": ("a.mp4", content)},
        data={"model": QUICK, **fields},
        headers={"Idempotency-Key": key},
    )


def jobs(service: Service) -> list[str]:
    return [job["id"] for job in service.http.get("/jobs?limit=100").json()["jobs"]]


def test_the_same_again_is_the_same_job_and_leaves_nothing_behind(service: Service, clip: Path) -> None:
    first = submit(service, clip.read_bytes(), "same")
    service.until_status(first.json()["id"], "succeeded")
    before = jobs(service), service.lasting_files()
    again = submit(service, clip.read_bytes(), "same")
    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert again.headers["location"] == first.headers["location"]
    assert (jobs(service), service.lasting_files()) == before


@pytest.mark.parametrize("other", ["bytes", "options"])
def test_a_key_is_not_taken_for_something_else(service: Service, clip: Path, other: str) -> None:
    assert submit(service, clip.read_bytes(), f"reused-{other}").status_code == 202
    content = clip.read_bytes() + b"\0" * (other == "bytes")
    options = {"crf": "30"} if other == "options" else {}
    refused = submit(service, content, f"reused-{other}", **options)
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


def test_a_refused_submission_frees_its_key(service: Service, clip: Path) -> None:
    assert submit(service, b"no video at all", "freed").status_code == 415
    assert submit(service, clip.read_bytes(), "freed").status_code == 202


def test_at_the_same_time_there_is_one_job(service: Service, clip: Path) -> None:
    before = set(jobs(service))
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: submit(service, clip.read_bytes(), "crowd"), range(6)))
    (made,) = set(jobs(service)) - before
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert {answer.json()["id"] for answer in answers if answer.status_code == 202} == {made}
    late = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert late <= {"submission_in_flight"}


def test_a_deleted_job_does_not_come_back_by_its_key(service: Service, clip: Path) -> None:
    first = submit(service, clip.read_bytes(), "deleted").json()["id"]
    assert service.http.delete(f"/jobs/{first}").status_code == 204
    second = submit(service, clip.read_bytes(), "deleted")
    assert second.status_code == 202
    assert second.json()["id"] != first


def test_a_key_that_cannot_be_one_is_refused(service: Service, clip: Path) -> None:
    answer = submit(service, clip.read_bytes(), "two words")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_option")
