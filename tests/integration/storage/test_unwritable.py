"""Storage that takes no writes: requests are told so, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.support.clips import write_clip
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration

TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("unwritable")) as running:
        yield running


@contextmanager
def unusable(directory: Path) -> Iterator[None]:
    """A file stands in place of a directory: nobody can write below it, not even root."""
    aside = directory.with_name(f"{directory.name}.aside")
    directory.rename(aside)
    directory.touch()
    try:
        yield
    finally:
        directory.unlink()
        aside.rename(directory)


def unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable"), answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert "/" not in answer.json()["detail"]


def test_a_job_whose_files_cannot_be_removed_stays_and_is_deleted_later(
    service: Service, tmp_path: Path
) -> None:
    job_id = service.submit(write_clip(tmp_path / "clip.mp4"), model=QUICK)
    service.until_status(job_id, "succeeded")
    result = service.http.get(f"/jobs/{job_id}/result").content

    with unusable(service.data / "trash"):
        for _ in range(2):
            unavailable(service.http.delete(f"/jobs/{job_id}"))
        assert service.job(job_id)["status"] == "succeeded"
        assert service.http.get(f"/jobs/{job_id}/result").content == result
    assert service.http.delete(f"/jobs/{job_id}").status_code == 204
    assert service.http.get(f"/jobs/{job_id}").status_code == 404
    assert not (service.data / "jobs" / job_id).exists()


def test_a_disk_that_is_gone_is_no_empty_one(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_clip(tmp_path / "clip.mp4"), model=QUICK)
    service.until_status(job_id, "succeeded")
    names = ("jobs", "trash", "incoming")
    for name in names:
        (service.data / name).rename(service.data / f"{name}.unmounted")
    unavailable(service.http.delete(f"/jobs/{job_id}"))
    unavailable(service.post(write_clip(tmp_path / "other.mp4"), model=QUICK))
    for name in names:
        (service.data / f"{name}.unmounted").rename(service.data / name)
    assert service.http.get(f"/jobs/{job_id}/result").status_code == 200


def test_uploads_are_refused_and_taken_again(service: Service, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4")
    begun = service.http.post("/uploads", headers={**TUS, "Upload-Length": "10"})
    with unusable(service.data / "incoming"), unusable(service.data / "uploads"):
        unavailable(service.post(clip, model=QUICK))
        unavailable(service.http.post("/uploads", headers={**TUS, "Upload-Length": "10"}))
        unavailable(service.http.delete(begun.headers["location"], headers=TUS))
    assert service.http.delete(begun.headers["location"], headers=TUS).status_code == 204
    service.submit(clip, model=QUICK)
