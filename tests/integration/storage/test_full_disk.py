"""A service whose disk has less room than its reserve: what waits, what works, and that everything goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.clips import Clip, write_clip
from tests.support.origin import origin
from tests.support.stack import QUICK, paced_stack, running_stack, until

pytestmark = pytest.mark.integration

FULL = {"CDVD_MIN_FREE_BYTES": str(1 << 60)}
"""More than any disk has: as if others had filled it up."""
PRIVATE = {"CDVD_TRANSFER_ALLOW_PRIVATE": "true"}
TUS = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000"}


def test_job_waits_for_space_while_others_are_fetched_and_deleted(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=30))
    with paced_stack(tmp_path) as service:
        done = service.submit(clip, model=QUICK)
        service.until_status(done, "succeeded")
        waiting = service.submit_held(clip)
        service.until_held()

    with paced_stack(tmp_path, FULL) as service:
        service.pace.release()
        until(
            lambda: service.job(waiting)["progress"]["stage"] == "waiting_for_space",
            "the job waits for space",
        )
        ready = service.http.get("/readyz")
        upload, resumable = service.post(clip), service.http.post("/uploads", headers=TUS)
        result = service.http.get(f"/jobs/{done}/result")
        deleted = service.http.delete(f"/jobs/{done}")

        assert service.job(waiting)["status"] == "running"
        assert (ready.status_code, ready.json()["status"]) == (200, "read_only")
        assert "must stay free" in ready.json()["reason"]
        assert [(one.status_code, one.json()["code"]) for one in (upload, resumable)] == [
            (507, "storage_full")
        ] * 2
        assert (result.status_code, deleted.status_code) == (200, 204)
        assert not (service.data / "jobs" / done).exists()

    with paced_stack(tmp_path) as service:
        service.pace.release()
        job = service.until_status(waiting, "succeeded")

        assert job["progress"]["stage"] == "finished"
        assert service.http.get("/readyz").json()["status"] == "ready"


def test_a_fetch_waits_for_space_and_goes_on(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip(frames=12))
    with origin() as server:
        server.files["/clip.mp4"] = clip.read_bytes()
        with running_stack(tmp_path, {**FULL, **PRIVATE}) as service:
            answer = service.http.post("/jobs", json={"input_url": f"{server.url}/clip.mp4", "model": QUICK})
            job_id = answer.json()["id"]
            until(
                lambda: service.job(job_id)["progress"]["stage"] == "waiting_for_space",
                "the fetch waits for space",
            )
            assert service.job(job_id)["status"] == "queued"
            assert service.files() <= {"incoming", "jobs", "trash"}

        with running_stack(tmp_path, PRIVATE) as service:
            service.until_status(job_id, "succeeded")
            assert service.http.get(f"/jobs/{job_id}/source").content == clip.read_bytes()


def test_chunked_upload_is_refused_as_one_with_a_length_is(tmp_path: Path) -> None:
    boundary = "x"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\n'
    with running_stack(tmp_path, FULL) as service:
        answer = service.http.post(
            "/jobs",
            content=iter([head.encode(), *[bytes(1 << 16)] * 100]),
            headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        )

        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        assert service.files() == set()
