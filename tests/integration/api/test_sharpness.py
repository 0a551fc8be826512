"""The sharpness curve over HTTP, while a job runs and after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import PacedService, Service, paced_stack, until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("curve"), {"CDVD_SEGMENT_FRAMES": "12"}) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(frames=36, cuts=(5, 24)))


def test_finished_job_has_a_value_for_every_frame(service: Service, clip: Path) -> None:
    job_id = service.submit(clip)
    service.until_status(job_id, "succeeded")

    answer = service.http.get(f"/jobs/{job_id}/sharpness")

    curve = answer.json()
    assert curve["complete"]
    assert curve["frames_measured"] == curve["frames_total"] == 36
    assert curve["before"] == curve["after"]  # this model changes nothing
    assert all(value > 0 for value in curve["before"])
    assert all(0 < value <= 1 for value in curve["prior"])
    assert curve["shots"] == [0, 5, 24]  # the last one begins with a segment
    known = {"If-None-Match": answer.headers["etag"]}
    assert service.http.get(f"/jobs/{job_id}/sharpness", headers=known).status_code == 304


def test_running_job_shows_finished_segments(service: PacedService, clip: Path) -> None:
    job_id = service.submit_held(clip)
    service.pace.let(12)

    def begun() -> dict[str, object] | None:
        found = service.http.get(f"/jobs/{job_id}/sharpness").json()
        return found if found["frames_measured"] else None

    curve = until(begun, "a finished segment")

    assert curve["frames_measured"] == 12
    assert sum(value is None for value in curve["after"]) == 36 - curve["frames_measured"]


def test_unknown_job_has_no_curve(service: Service) -> None:
    answer = service.http.get(f"/jobs/{'0' * 32}/sharpness")

    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
