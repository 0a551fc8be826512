"""Files of finished jobs go in time, then their records."""

from __future__ import annotations

import httpx
import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, running_stack, until

pytestmark = pytest.mark.integration

SETTINGS = {"CDVD_RETENTION_S": "0.5"}


@pytest.mark.parametrize("path", ["result", "source", "report", "sharpness", "frames"])
def test_files_of_an_expired_job_are_gone(expired, path):
    service, job = expired
    answer = service.http.get(f"/jobs/{job}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (410, "result_expired")


def test_an_expired_job_is_on_record_without_files(expired):
    service, job = expired
    assert service.job(job)["expires_at"] is not None
    assert not [path for path in service.files() if job in path]
    assert '"status": "expired"' in service.http.get(f"/jobs/{job}/events").text
    assert service.http.post(f"/jobs/{job}/retry").status_code == 409


def test_the_record_of_an_expired_job_is_forgotten_at_last(tmp_path):
    with running_stack(tmp_path, {**SETTINGS, "CDVD_RECORD_RETENTION_S": "0.5"}) as service:
        job = service.submit(write_clip(tmp_path / "a.mp4", Clip(frames=4)), model=QUICK)
        until(lambda: service.http.get(f"/jobs/{job}").status_code == 404, "no record")
        assert job not in {one["id"] for one in service.http.get("/jobs").json()["jobs"]}
        assert not [path for path in service.files() if job in path]


@pytest.fixture(scope="module")
def expired(tmp_path_factory):
    root = tmp_path_factory.mktemp("retention")
    with running_stack(root, SETTINGS) as service:
        job = service.submit(write_clip(root / "a.mp4", Clip(frames=4)), model=QUICK)
        until(lambda: _status(service.http, job) == "expired", "expired")
        until(lambda: not [path for path in service.files() if job in path], "files removed")
        yield service, job


def _status(http: httpx.Client, job: str) -> str:
    return http.get(f"/jobs/{job}").json()["status"]
