"""Estimates from the throughput that a real worker measured."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, SLOW, PacedService, Service, paced_stack

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    with paced_stack(tmp_path_factory.mktemp("estimates")) as running:
        yield running


DESCRIBED = {"width": 96, "height": 64, "frames": 36}


def test_estimates_begin_with_nothing_and_come_from_finished_work(
    service: PacedService, tmp_path: Path
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=36))
    before = service.http.post("/estimates", json=DESCRIBED).json()
    assert (before["basis"], before["seconds"], before["waiting_s"]) == ("none", None, 0)
    assert before["model"] == QUICK

    began = time.monotonic()
    job = service.until_status(service.submit(clip), "succeeded")
    took = time.monotonic() - began
    held = service.submit_held(clip)
    service.until_held()
    time.sleep(2 * took)  # so that it is the slower one on whatever machine
    service.pace.release()
    service.until_status(held, "succeeded")
    after = service.http.post("/estimates", json={**DESCRIBED, "bytes": 1000}).json()
    slow = service.http.post("/estimates", json={**DESCRIBED, "model": SLOW}).json()
    files = service.lasting_files()
    with clip.open("rb") as file:
        sent = service.http.post("/estimates", files={"video": file}).json()

    assert after["basis"] == "measured"
    assert 0 < after["seconds"] < slow["seconds"]
    assert after["disk_bytes"] == pytest.approx(1000 + 2 * job["output"]["bytes"], abs=2)
    assert sent["restoring_s"] == after["restoring_s"]
    assert service.lasting_files() == files  # nothing of the upload stays

    accepted = service.post(clip, model=SLOW).json()
    assert accepted["progress"]["frames_per_second"] is None
    assert accepted["progress"]["eta_s"] >= 0.9 * slow["restoring_s"]


def test_a_short_job_is_not_told_to_wait_for_a_long_one_that_gives_way(
    service: PacedService, tmp_path: Path
) -> None:
    service.until_status(service.submit(write_clip(tmp_path / "clip.mp4", Clip(frames=36))), "succeeded")
    held = service.submit_held(write_clip(tmp_path / "long.mp4", Clip(frames=400)))
    service.until_held()

    short, longer = (
        service.http.post("/estimates", json={**DESCRIBED, "frames": frames}).json() for frames in (36, 4000)
    )

    assert short["waiting_s"] == 0
    assert longer["waiting_s"] != 0  # None where the model in work was not measured yet
    service.http.delete(f"/jobs/{held}")
    service.pace.release()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"width": 96, "height": 64}, 422, "invalid_request"),
        ({"width": 8, "height": 64, "frames": 2}, 422, "invalid_request"),
        ({**DESCRIBED, "model": "none"}, 404, "model_not_found"),
    ],
)
def test_what_cannot_be_estimated_is_refused(
    service: Service, sent: dict[str, object], status: int, code: str
) -> None:
    answer = service.http.post("/estimates", json=sent)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
