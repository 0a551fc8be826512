"""Unusual videos on their whole way through the service: what is restored, what is said, what strict refuses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.animations import write_archive
from tests.support.broken_clips import cut_off, damage_frame
from tests.support.clips import Clip, read_frames, write_clip
from tests.support.interlaced_clips import Interlaced
from tests.support.stack import QUICK, Service, running_stack

pytestmark = pytest.mark.integration

CLIP = Clip(frames=30, encoder={"crf": "8", "g": "5", "bf": "0"})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("damaged"), {"CDVD_SEGMENT_FRAMES": "10"}) as running:
        yield running


def test_a_frame_that_does_not_decode_costs_one_frame_and_is_said(service: Service, tmp_path: Path) -> None:
    path = damage_frame(write_clip(tmp_path / "clip.mp4", CLIP), 17, byte=0, kept=5)
    job = service.until_status(job_id := service.submit(path, model=QUICK), "succeeded")
    (tmp_path / "result.mp4").write_bytes(service.http.get(f"/jobs/{job_id}/result").content)

    assert len(read_frames(tmp_path / "result.mp4")) == 30
    (damage,) = [one for one in job["findings"] if one["code"] == "damage"]
    assert (damage["kind"], damage["frames"], damage["times_s"]) == ("lost", [17], [0.68])
    assert damage["text"].endswith("1 time, at 0.68 s.")
    assert job["losses"] == [damage["text"]]


def test_a_strict_job_fails_where_only_decoding_tells(service: Service, tmp_path: Path) -> None:
    path = damage_frame(write_clip(tmp_path / "clip.mp4", CLIP), 17, byte=0, kept=5)
    job = service.until_status(service.submit(path, model=QUICK, strict="true"), "failed")

    assert job["error"]["code"] == "fidelity_lost"
    assert "at 0.68 s" in job["error"]["detail"]


def test_a_strict_job_is_refused_where_packets_tell(service: Service, tmp_path: Path) -> None:
    damaged = damage_frame(write_clip(tmp_path / "clip.mp4", CLIP), 17, byte=0)
    truncated = cut_off(write_clip(tmp_path / "clip.mkv", CLIP), 0.6)
    answers = [service.post(path, model=QUICK, strict="true") for path in (damaged, truncated)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(422, "fidelity_lost")] * 2
    assert "at 0.68 s" in answers[0].json()["detail"]
    assert "truncated: its last 0." in answers[1].json()["detail"]
    losses = service.until_status(service.submit(truncated, model=QUICK), "succeeded")["losses"]
    assert losses[0].startswith("The file is truncated")


def test_interlacing_is_told_in_words_that_a_job_asks_for(service: Service, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Interlaced(frames=12, width=128, height=128))
    told = {}
    for wanted in ("auto", "keep", "off"):
        job_id = service.submit(path, model=QUICK, deinterlace=wanted)
        found = service.until_status(job_id, "succeeded")["findings"]
        (told[wanted],) = [one["text"] for one in found if one["code"] == "interlacing"]

    assert "bwdif" in told["auto"]
    assert "each restored by itself" in told["keep"]
    assert "taken for progressive" in told["off"]
    refused = service.post(
        write_clip(tmp_path / "low.mp4", Interlaced(frames=3)), model=QUICK, deinterlace="keep"
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "frame_size_rejected")


def test_a_zip_of_pictures_is_a_job_like_any_other(service: Service, tmp_path: Path) -> None:
    path = write_archive(tmp_path / "shot.zip", rate="12.5")
    job = service.until_status(job_id := service.submit(path, model=QUICK), "succeeded")
    (tmp_path / "result.mp4").write_bytes(service.http.get(f"/jobs/{job_id}/result").content)

    assert (job["input"]["container"], job["input"]["fps"]) == ("zip", 12.5)
    assert [float(time) for time, _ in read_frames(tmp_path / "result.mp4")] == pytest.approx(
        [number * 0.08 for number in range(12)]
    )
    assert service.http.get(f"/jobs/{job_id}/preview/3.jpg", params={"view": "before"}).status_code == 200
    assert len(service.http.get(f"/jobs/{job_id}/frames").json()["source"]) == 12
