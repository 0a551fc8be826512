"""Single frames of a job as pictures, while it runs and after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, PacedService, Service, paced_stack, until

pytestmark = pytest.mark.integration
CLIP = Clip(frames=36)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    settings = {"CDVD_SEGMENT_FRAMES": "12", "CDVD_WINDOW_FRAMES": "4"}
    with paced_stack(tmp_path_factory.mktemp("previews"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "hand.mp4", CLIP)


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "turned.mp4", replace(CLIP, rotation=90))


def ask(service: Service, job_id: str, frame: int | str, view: str) -> httpx.Response:
    return service.http.get(f"/jobs/{job_id}/preview/{frame}.jpg", params={"view": view})


def decoded(answer: httpx.Response) -> np.ndarray:
    """RGB."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(float)


def test_every_view_of_a_finished_job(service: Service, path: Path) -> None:
    job_id = service.submit(path, model=QUICK)
    service.until_status(job_id, "succeeded")
    before, after = (decoded(ask(service, job_id, 20, view)) for view in ("before", "after"))

    assert np.abs(before - CLIP.picture(20)).mean() < 4
    assert np.abs(after - CLIP.picture(20)).mean() < 6  # this model changes nothing
    assert np.abs(after - CLIP.picture(0)).mean() > 10
    assert decoded(ask(service, job_id, 35, "side")).shape == (64, 192, 3)
    prior = ask(service, job_id, 35, "prior")
    assert decoded(prior).shape == (64, 96, 3)
    known = {"If-None-Match": prior.headers["etag"]}
    assert service.http.get(str(prior.url), headers=known).status_code == 304


def test_a_picture_without_its_upload_is_gone(service: Service, path: Path) -> None:
    job_id = service.submit(path, model=QUICK)
    service.until_status(job_id, "succeeded")
    (service.data / "jobs" / job_id / "source").unlink()
    for picture in ("1.jpg?view=before", "1.jpg?view=side", "1.png"):
        answer = service.http.get(f"/jobs/{job_id}/preview/{picture}")
        assert (answer.status_code, answer.json()["code"]) == (410, "result_expired")
    assert service.http.get(f"/jobs/{job_id}/preview/1.jpg").status_code == 200


def test_a_still_has_every_pixel(service: Service, path: Path) -> None:
    job_id = service.submit(path, model=QUICK)
    service.until_status(job_id, "succeeded")
    answer = service.http.get(f"/jobs/{job_id}/preview/20.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    still = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(float)
    assert still.shape == (64, 192, 3)
    assert np.abs(still[:, :96] - CLIP.picture(20)).mean() < 4
    assert np.abs(still[:, 96:] - CLIP.picture(20)).mean() < 6
    late = service.http.get(f"/jobs/{job_id}/preview/36.png")
    assert (late.status_code, late.json()["code"]) == (404, "frame_not_found")


def test_frames_and_views_that_do_not_exist(service: Service, path: Path) -> None:
    job_id = service.submit(path, model=QUICK)
    answers = [ask(service, job_id, 36, "before"), ask(service, job_id, -1, "before")]
    answers += [ask(service, job_id, 0, "sideways"), ask(service, "0" * 32, 0, "before")]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (404, "frame_not_found"),
        (422, "invalid_request"),
        (422, "invalid_request"),
        (404, "job_not_found"),
    ]


def test_what_is_restored_shows_while_the_rest_runs(service: PacedService, path: Path) -> None:
    job_id = service.submit_held(path)
    service.pace.let(12)
    until(lambda: ask(service, job_id, 0, "after").status_code == 200, "the first segment")

    late = ask(service, job_id, 35, "after")
    assert (late.status_code, late.json()["code"]) == (409, "frame_not_restored")
    assert ask(service, job_id, 35, "prior").status_code == 409
    assert decoded(ask(service, job_id, 5, "prior")).shape == (64, 96, 3)
    assert ask(service, job_id, 35, "before").status_code == 200
    service.http.delete(f"/jobs/{job_id}")


def test_the_newest_frame_shows_in_the_midst_of_a_segment(service: PacedService, path: Path) -> None:
    job_id = service.submit_held(path)
    none = ask(service, job_id, "newest", "after")
    assert (none.status_code, none.json()["code"]) == (409, "frame_not_restored")
    assert service.job(job_id)["progress"]["newest_frame"] is None

    service.pace.let(4)  # of the segment's twelve
    number = until(lambda: service.job(job_id)["progress"]["newest_frame"], "a frame to be seen")
    before, after, side = (ask(service, job_id, "newest", view) for view in ("before", "after", "side"))
    assert number < 12 > service.job(job_id)["progress"]["frames_done"]
    assert np.abs(decoded(after) - CLIP.picture(number)).mean() < 4  # this model changes nothing
    assert np.abs(decoded(before) - CLIP.picture(number)).mean() < 4
    assert np.abs(decoded(side)[:, 96:] - decoded(after)).mean() < 2
    assert after.headers["content-location"] == f"/jobs/{job_id}/preview/{number}.jpg?view=after"
    assert ask(service, job_id, number, "after").content == after.content

    service.pace.release()
    service.until_status(job_id, "succeeded")
    last = ask(service, job_id, "newest", "side")
    shown = service.job(job_id)["progress"]["newest_frame"]
    assert last.headers["content-location"] == f"/jobs/{job_id}/preview/{shown}.jpg?view=side"
    assert np.abs(decoded(last)[:, 96:] - CLIP.picture(shown)).mean() < 6


def test_the_newest_frame_is_upright(service: PacedService, turned: Path) -> None:
    job_id = service.submit_held(turned)
    service.pace.let(4)
    number = until(lambda: service.job(job_id)["progress"]["newest_frame"], "a frame to be seen")
    picture = decoded(ask(service, job_id, "newest", "after"))
    assert picture.shape == (96, 64, 3)
    assert np.abs(picture - np.rot90(CLIP.picture(number), -1)).mean() < 6
    service.http.delete(f"/jobs/{job_id}")
