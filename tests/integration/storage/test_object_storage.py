"""The whole service with its files in a real S3 server: nothing of a video stays on the gateway's disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.clip import read_clip
from service.client import Client
from service.storage.options import S3Options
from tests.support.clips import Clip, write_clip
from tests.support.object_store import keys, running_object_store, settings
from tests.support.origin import Manner, origin
from tests.support.stack import QUICK, PacedService, Service, paced_stack, running_stack, until

pytestmark = pytest.mark.integration

FRAMES = 24


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Options]:
    with running_object_store(tmp_path_factory.mktemp("s3")) as options:
        yield options


@pytest.fixture(scope="module")
def service(store: S3Options, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PacedService]:
    chosen = {
        **settings(store),
        "CDVD_SEGMENT_FRAMES": "12",
        "CDVD_MAX_UPLOAD_BYTES": "200000",
        "CDVD_TRANSFER_ALLOW_PRIVATE": "true",
    }
    with paced_stack(tmp_path_factory.mktemp("stack"), chosen) as running:
        yield running


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", Clip(frames=FRAMES, audio="aac"))


def test_video_comes_back_whole(service: Service, store: S3Options, clip: Path, tmp_path: Path) -> None:
    job_id = service.submit(clip)
    job = service.until_status(job_id, "succeeded")

    result = service.http.get(f"/jobs/{job_id}/result")
    (tmp_path / "result.mp4").write_bytes(result.content)
    assert len(read_clip(tmp_path / "result.mp4")) == FRAMES
    assert len(result.content) == job["output"]["bytes"]
    assert service.http.get(f"/jobs/{job_id}/source").content == clip.read_bytes()
    assert service.http.get(f"/jobs/{job_id}/report").json()["frames_out"] == FRAMES
    mine = {key for key in keys(store) if job_id in key}
    assert mine == {
        f"jobs/{job_id}/{name}"
        for name in ("source", "result.mp4", "report.json", "sharpness.json", "prior.zip")
    }
    assert service.files() == set()


def test_ranges_and_heads_are_answered_like_from_a_disk(service: Service, clip: Path) -> None:
    job_id = service.submit(clip)
    service.until_status(job_id, "succeeded")
    url = f"/jobs/{job_id}/result"

    whole, part = service.http.get(url), service.http.get(url, headers={"Range": "bytes=10-19"})
    head, beyond = service.http.head(url), service.http.get(url, headers={"Range": "bytes=99999999-"})

    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(whole.content)))
    assert beyond.status_code == 416
    for answer in (whole, head):
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.headers["content-disposition"] == 'attachment; filename="clip_deblurred.mp4"'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"This is no video. " * 99, "not_a_video"),
        (b"", "empty_upload"),
        (bytes(200_001), "upload_too_large"),
    ],
)
def test_refused_upload_leaves_no_object(
    service: Service, store: S3Options, tmp_path: Path, data: bytes, code: str
) -> None:
    before = keys(store)
    (tmp_path / "upload.mp4").write_bytes(data)

    answer = service.post(tmp_path / "upload.mp4")

    assert answer.json()["code"] == code
    assert keys(store) == before


def test_a_video_is_fetched_into_the_store(service: Service, store: S3Options, clip: Path) -> None:
    before = keys(store)
    with origin() as server:
        server.files["/clip.mp4"] = clip.read_bytes()
        server.manners["/clip.mp4"] = [Manner(only=3000)]
        answer = service.http.post("/jobs", json={"input_url": f"{server.url}/clip.mp4", "model": QUICK})
        job_id = answer.json()["id"]
        service.until_status(job_id, "succeeded")
    assert service.http.get(f"/jobs/{job_id}/source").content == clip.read_bytes()
    assert {key for key in keys(store) if job_id not in key} == before
    assert service.files() == set()


def test_a_fetch_that_is_refused_leaves_no_object(service: Service, store: S3Options) -> None:
    before = keys(store)
    with origin() as server:
        server.files["/text"] = b"This is no video. " * 500
        answer = service.http.post("/jobs", json={"input_url": f"{server.url}/text", "model": QUICK})
        error = service.until_status(answer.json()["id"], "failed")["error"]
    assert error["code"] == "not_a_video"
    assert keys(store) == before


def test_deleted_job_leaves_no_object(service: PacedService, store: S3Options, clip: Path) -> None:
    before = keys(store)
    job_id = service.submit_held(clip)
    service.let_frames(job_id, 1)

    service.http.delete(f"/jobs/{job_id}")

    later = service.submit(clip)
    service.until_status(later, "succeeded")  # the worker has let go of the deleted one
    until(lambda: not any(job_id in key for key in keys(store)), "the objects are gone")
    assert {key for key in keys(store) if later not in key} == before


def test_clients_that_reach_the_store_are_sent_there(store: S3Options, clip: Path, tmp_path: Path) -> None:
    public = {**settings(store), "CDVD_S3_PUBLIC_URL": str(store.endpoint)}
    with running_stack(tmp_path, public) as service:
        job_id = service.submit(clip)
        service.until_status(job_id, "succeeded")
        answer = service.http.get(f"/jobs/{job_id}/result")
        policy = service.http.get("/").headers["content-security-policy"]
        with Client(str(service.http.base_url)) as client:
            client.download(job_id, tmp_path / "result.mp4")

    assert answer.status_code == 307
    assert answer.headers["location"].startswith(f"{store.endpoint}/")
    part = httpx.get(answer.headers["location"], headers={"Range": "bytes=4-7"}, trust_env=False)
    assert (part.status_code, part.content) == (206, b"ftyp")
    assert part.headers["content-type"] == "video/mp4"
    assert part.headers["content-disposition"] == 'attachment; filename="clip_deblurred.mp4"'
    assert len(read_clip(tmp_path / "result.mp4")) == FRAMES
    assert f"media-src 'self' blob: {store.endpoint};" in policy
