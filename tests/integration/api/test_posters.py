"""Small pictures that stand for a job's upload in lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import httpx
import numpy as np
import pytest

from tests.support.clips import Clip, write_clip
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration
CLIP = Clip(frames=40, width=320, height=192)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("posters")) as running:
        yield running


def decoded(answer: httpx.Response) -> np.ndarray:
    """RGB."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/jpeg"
    return cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(float)


def write_dark_beginning(path: Path) -> Path:
    """One black second, then one of color."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", 25, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for number in range(50):
            image = CLIP.picture(number) if number >= 25 else np.zeros((192, 320, 3), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_the_poster_is_made_once_and_cached(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_clip(tmp_path / "a.mp4", CLIP), model=QUICK)
    address = service.job(job_id)["urls"]["poster"]
    poster = service.http.get(address)
    assert np.abs(decoded(poster) - CLIP.picture(0)).mean() < 6
    assert "immutable" in poster.headers["cache-control"]
    again = service.http.get(address, headers={"If-None-Match": poster.headers["etag"]})
    assert again.status_code == 304
    assert decoded(service.http.get(address, params={"width": "160"})).shape == (96, 160, 3)
    kept = {name for name in service.files() if job_id in name and "poster" in name}
    assert kept == {f"jobs/{job_id}/poster-{side}.jpg" for side in (160, 320)}
    (service.data / "jobs" / job_id / "poster-320.jpg").write_bytes(b"kept")
    assert service.http.get(address).content == b"kept"  # nothing is decoded again
    assert service.http.get(address, params={"width": "5000"}).json()["code"] == "invalid_request"


def test_a_poster_is_not_black_where_the_video_begins_so(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_dark_beginning(tmp_path / "dark.mp4"), model=QUICK)
    poster = decoded(service.http.get(f"/jobs/{job_id}/poster.jpg"))
    assert np.abs(poster - CLIP.picture(25)).mean() < 8
    part = service.submit(write_dark_beginning(tmp_path / "dark.mp4"), model=QUICK, end="0.4")
    assert decoded(service.http.get(f"/jobs/{part}/poster.jpg")).mean() < 8  # there is nothing else


def test_the_strip_has_ten_upright_frames_over_the_whole_video(service: Service, tmp_path: Path) -> None:
    turned = write_clip(tmp_path / "turned.mp4", replace(CLIP, rotation=90))
    job_id = service.submit(turned, model=QUICK)
    strip = decoded(service.http.get(service.job(job_id)["urls"]["strip"]))
    assert strip.shape == (160, 960, 3)
    for part, number in ((0, 0), (9, 38)):  # the keyframe 0 is near enough to the frame 2
        upright = np.rot90(CLIP.picture(number), -1)
        expected = cv2.resize(upright, (96, 160), interpolation=cv2.INTER_AREA).astype(float)
        assert np.abs(strip[:, part * 96 : (part + 1) * 96] - expected).mean() < 10
    assert np.abs(strip[:, :96] - strip[:, -96:]).mean() > 10


def test_there_is_no_picture_of_what_is_gone(service: Service, tmp_path: Path) -> None:
    job_id = service.submit(write_clip(tmp_path / "a.mp4", CLIP), model=QUICK)
    service.until_status(job_id, "succeeded")
    (service.data / "jobs" / job_id / "source").unlink()
    answers = [service.http.get(f"/jobs/{one}/poster.jpg") for one in (job_id, "0" * 32)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (410, "result_expired"),
        (404, "job_not_found"),
    ]
