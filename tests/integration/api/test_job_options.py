"""What a job can be asked for beside its model: a part of the video, strictness, stages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.clips import Clip, read_frames, write_clip
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration
CLIP = Clip(frames=50, audio="aac", encoder={"crf": "8", "g": "10"})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("options"), {"CDVD_SEGMENT_FRAMES": "12"}) as running:
        yield running


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "hand.mp4", CLIP)


def test_a_part_of_a_video_comes_back_alone(service: Service, path: Path, tmp_path: Path) -> None:
    job_id = service.submit(path, model=QUICK, start="0.4", end="1.4")
    job = service.until_status(job_id, "succeeded")

    assert (job["options"]["start"], job["options"]["end"]) == (0.4, 1.4)
    assert job["input"]["frames"] == job["progress"]["frames_total"] == job["output"]["frames"] == 25
    (tmp_path / "result.mp4").write_bytes(service.http.get(f"/jobs/{job_id}/result").content)
    assert len(read_frames(tmp_path / "result.mp4")) == 25
    assert service.http.get(f"/jobs/{job_id}/sharpness").json()["frames_measured"] == 25
    for view in ("before", "after"):  # frame 0 is the first of the part
        data = service.http.get(f"/jobs/{job_id}/preview/0.jpg", params={"view": view}).content
        shown = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1].astype(float)
        assert np.abs(shown - CLIP.picture(10)).mean() < 5 < np.abs(shown - CLIP.picture(0)).mean()
    beyond = service.http.get(f"/jobs/{job_id}/preview/25.jpg")
    assert (beyond.status_code, beyond.json()["code"]) == (404, "frame_not_found")


def test_a_preview_is_short(service: Service, path: Path, tmp_path: Path) -> None:
    long = write_clip(tmp_path / "long.mp4", Clip(frames=130))
    refused = service.post(long, model=QUICK, preview="true")
    taken = service.submit(long, model=QUICK, preview="true", start="1", end="2")

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_option")
    assert "at most 5 seconds, not 5.2" in refused.json()["detail"]
    assert service.until_status(taken, "succeeded")["options"]["preview"] is True
    usual = service.submit(path, model=QUICK)
    assert service.until_status(usual, "succeeded")["options"]["preview"] is False


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"start": "2.0"}, "excerpt_empty"),
        ({"start": "1", "end": "0.5"}, "invalid_option"),
        ({"stages": "3"}, "invalid_option"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    service: Service, path: Path, fields: dict[str, str], code: str
) -> None:
    before = service.lasting_files()
    answer = service.post(path, model=QUICK, **fields)

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert service.lasting_files() == before


def test_strict_job_is_refused_at_submission_where_something_would_be_lost(
    service: Service, path: Path, tmp_path: Path
) -> None:
    lossy = write_clip(tmp_path / "lossy.avi", Clip(codec="mpeg4", encoder={}, audio="pcm_mulaw"))
    before = service.lasting_files()
    refusal = service.post(lossy, model=QUICK, strict="true", sound="copy")

    assert (refusal.status_code, refusal.json()["code"]) == (422, "fidelity_lost")
    assert "pcm_mulaw" in refusal.json()["detail"]
    assert service.lasting_files() == before
    accepted = service.post(lossy, model=QUICK, sound="copy").json()
    assert any("pcm_mulaw" in sentence for sentence in accepted["losses"])
    job = service.until_status(accepted["id"], "succeeded")
    assert (
        job["losses"] == accepted["losses"] == service.http.get(f"/jobs/{job['id']}/report").json()["losses"]
    )
    assert {"kind": "kept", "code": "frames"}.items() <= job["findings"][0].items()
    with lossy.open("rb") as file:
        estimate = service.http.post(
            "/estimates", files={"video": file}, data={"model": QUICK, "sound": "copy"}
        ).json()
    assert estimate["losses"] == accepted["losses"]
    for kept in (path, lossy):  # by default this sound is stored as FLAC
        service.until_status(service.submit(kept, model=QUICK, strict="true"), "succeeded")
