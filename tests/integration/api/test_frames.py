"""When frames appear, over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import SLOW, Service, running_stack, until

pytestmark = pytest.mark.integration

STEPS = (0, 1001, 4321, 5100, 9000, 9750, 20000, 20800, 30000, 41111, 42000, 50000)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("frames"), {"CDVD_SEGMENT_FRAMES": "12"}) as running:
        yield running


def test_every_frame_of_a_job_has_its_exact_time(service: Service, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "variable.mp4", Clip(time_base=Fraction(1, 90000), pts=STEPS))
    job_id = service.submit(clip)
    service.until_status(job_id, "succeeded")

    answer = service.http.get(f"/jobs/{job_id}/frames")

    expected = [step / 90000 for step in STEPS]
    assert answer.json() == {"job": job_id, "source": expected, "result": expected}
    known = {"If-None-Match": answer.headers["etag"]}
    assert service.http.get(f"/jobs/{job_id}/frames", headers=known).status_code == 304


def test_frames_are_read_from_the_video_once(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_clip(tmp_path / "once.mp4", Clip(frames=20)))
    service.until_status(job_id, "succeeded")
    first = service.http.get(f"/jobs/{job_id}/frames")

    (service.data / "jobs" / job_id / "source").write_bytes(b"no video")

    assert service.http.get(f"/jobs/{job_id}/frames").json() == first.json()


@pytest.mark.usefixtures("service")
def test_settings_of_a_service_are_its_own() -> None:
    assert "CDVD_SEGMENT_FRAMES" not in os.environ


def test_the_result_of_a_part_begins_at_zero(service: Service, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "part.mp4", Clip(frames=20))

    times = service.http.get(f"/jobs/{service.submit(clip, start='0.2')}/frames").json()

    assert times["source"] == pytest.approx([0.04 * frame for frame in range(5, 20)])
    assert times["result"] == pytest.approx([0.04 * frame for frame in range(15)])


def test_the_result_of_a_canceled_job_has_fewer_frames(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_clip(tmp_path / "long.mp4", Clip(frames=400)), model=SLOW)
    service.until_frames(job_id, 24)
    service.http.post(f"/jobs/{job_id}/cancel").raise_for_status()
    restored = until(lambda: service.job(job_id)["output"], "a partial result")["frames"]

    times = service.http.get(f"/jobs/{job_id}/frames").json()

    assert 0 < restored < 400
    assert (len(times["source"]), len(times["result"])) == (400, restored)


def test_unknown_job_has_no_frames(service: Service) -> None:
    answer = service.http.get(f"/jobs/{'0' * 32}/frames")

    assert (answer.status_code, answer.json()["code"]) == (404, "job_not_found")
