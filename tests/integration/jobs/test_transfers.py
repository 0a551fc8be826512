"""Videos that the service fetches, and results that it sends, with real servers at the other end."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.support.api_keys import address
from tests.support.clips import Clip, write_clip
from tests.support.origin import Manner, Origin, origin
from tests.support.stack import QUICK, Service, running_stack, until

pytestmark = pytest.mark.integration
SETTINGS = {
    "CDVD_TRANSFER_ALLOW_PRIVATE": "true",
    "CDVD_FETCH_FIRST_DELAY_S": "0.05",
    "CDVD_FETCH_ATTEMPTS": "2",
    "CDVD_WEBHOOK_FIRST_DELAY_S": "0.05",
    "CDVD_WEBHOOK_ATTEMPTS": "3",
    "CDVD_TRANSFER_SILENCE_S": "2",
    "CDVD_MAX_UPLOAD_BYTES": "1000000",
    "CDVD_CLAIM_TTL_S": "3",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("transfers"), SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", Clip(frames=12, audio="aac")).read_bytes()


@pytest.fixture
def server(video: bytes) -> Iterator[Origin]:
    with origin() as running:
        running.files["/my%20clip.mp4"] = video
        yield running


PATH = "/my%20clip.mp4"


def order(service: Service, url: str, **more: Any) -> httpx.Response:
    key = more.pop("key", None)
    headers = {"Idempotency-Key": key} if key else {}
    return service.http.post("/jobs", json={"input_url": url, "model": QUICK, **more}, headers=headers)


def ordered(service: Service, url: str, **more: Any) -> str:
    answer = order(service, url, **more)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def failure(service: Service, job_id: str) -> tuple[str, str]:
    error = service.until_status(job_id, "failed")["error"]
    return error["code"], error["detail"]


def newest_worker() -> psutil.Process:
    """That of the stack that was started last."""
    workers = (one for one in psutil.Process().children() if "service.worker" in one.cmdline())
    return max(workers, key=psutil.Process.create_time)


def test_a_video_is_fetched_and_its_result_is_sent(service: Service, server: Origin, video: bytes) -> None:
    release = threading.Event()
    server.manners[PATH] = [Manner(only=5000, release=release)]
    server.manners["/put?signature=1"] = [Manner(status=503)]
    answer = order(
        service, server.url + PATH, output_url=f"{server.url}/put?signature=1", codec="hevc", key="once"
    )
    job = answer.json()
    assert (answer.status_code, job["status"], job["progress"]["stage"]) == (202, "queued", "fetching")
    assert (job["input"], job["options"]["codec"], job["handover"]) == (None, "hevc", None)
    assert (
        order(
            service, server.url + PATH, output_url=f"{server.url}/put?signature=1", codec="hevc", key="once"
        ).json()["id"]
        == job["id"]
    )
    assert order(service, server.url + PATH, key="once").json()["code"] == "idempotency_key_reused"
    progress = until(
        lambda: (p := service.job(job["id"])["progress"])["bytes_done"] and p, "progress of the fetch"
    )
    assert progress["bytes_total"] == len(video)
    assert service.http.get(f"/jobs/{job['id']}/source").json()["code"] == "job_not_finished"
    release.set()
    done = service.until_status(job["id"], "succeeded")

    assert (done["input"]["filename"], done["input"]["frames"]) == ("my clip.mp4", 12)
    assert done["input"]["sha256"] == hashlib.sha256(video).hexdigest()
    assert (done["progress"]["bytes_done"], done["options"]["codec"]) == (None, "hevc")
    sent = until(
        lambda: (h := service.job(job["id"])["handover"])["state"] == "delivered" and h, "the result is sent"
    )
    assert (sent["attempts"], sent["last_answer"]) == (2, "200")
    put = server.of("PUT", "/put?signature=1")[-1]
    assert put.headers["content-type"] == "video/mp4"
    assert int(put.headers["content-length"]) == len(put.body) == done["output"]["bytes"]
    assert hashlib.sha256(put.body).hexdigest() == done["output"]["sha256"]


def test_what_a_job_answers_while_it_is_fetched_is_documented(service: Service, server: Origin) -> None:
    release = threading.Event()
    server.manners[PATH] = [Manner(only=3000, release=release)]
    job_id = ordered(service, server.url + PATH)
    try:
        until(lambda: service.job(job_id)["progress"]["bytes_done"], "the beginning of the video")
        document = service.http.get("/openapi.json").json()["paths"]
        routes = {path: calls["get"]["responses"] for path, calls in document.items() if "get" in calls}
        asked = {path for path in routes if "{job_id}" in path and not path.endswith("/events")}
        for path in asked:
            answer = service.http.get(address(path, job_id))
            if answer.is_error:
                problems = routes[path][str(answer.status_code)]["content"]["application/problem+json"]
                assert answer.json()["code"] in problems["examples"], path
        again = service.http.post("/jobs", files={"source": (None, job_id)})
        assert (again.status_code, again.json()["code"]) == (409, "job_not_finished")
        assert int(again.headers["Retry-After"]) > 0
        problems = document["/jobs"]["post"]["responses"]["409"]["content"]["application/problem+json"]
        assert "job_not_finished" in problems["examples"]
    finally:
        release.set()
    service.until_status(job_id, "succeeded")


def test_a_fetch_goes_on_where_its_connection_broke(service: Service, server: Origin, video: bytes) -> None:
    server.manners[PATH] = [Manner(status=503), Manner(only=3000), Manner(only=2000)]
    job = service.until_status(ordered(service, server.url + PATH), "succeeded")

    assert job["input"]["sha256"] == hashlib.sha256(video).hexdigest()
    ranges = [one.headers.get("range") for one in server.of("GET", PATH)]
    assert ranges == [None, None, "bytes=3000-", "bytes=5000-"]


def test_without_ranges_and_without_a_length_it_begins_anew(
    service: Service, server: Origin, video: bytes
) -> None:
    server.tag = ""
    server.manners[PATH] = [Manner(only=3000), Manner(length=-1)]
    job = service.until_status(ordered(service, server.url + PATH), "succeeded")

    assert job["input"]["sha256"] == hashlib.sha256(video).hexdigest()
    assert [one.headers.get("range") for one in server.of("GET", PATH)] == [None, None]


def test_another_file_in_its_place_is_fetched_whole(service: Service, server: Origin, video: bytes) -> None:
    server.files[PATH] = bytes(len(video))
    release = threading.Event()
    server.manners[PATH] = [Manner(only=3000, release=release)]
    job_id = ordered(service, server.url + PATH)
    until(lambda: server.of("GET", PATH), "the first request")
    server.files[PATH], server.tag = video, '"2"'
    release.wait(0)  # the silence of two seconds ends the first request
    job = service.until_status(job_id, "succeeded")

    assert job["input"]["sha256"] == hashlib.sha256(video).hexdigest()
    release.set()


@pytest.mark.parametrize(
    ("manners", "code", "says"),
    [
        ([Manner(status=404)], "fetch_refused", "answers 404"),
        ([Manner(headers={"Content-Type": "text/html"})], "fetch_refused", "text/html"),
        ([Manner(length=2_000_000)], "upload_too_large", "1000000 bytes"),
        ([Manner(status=503)] * 8, "fetch_failed", "answers 503"),
        ([Manner(length=60_000)] * 8, "fetch_failed", "broke off"),
        ([Manner(length=1000)], "damaged_video", ""),
        (
            [Manner(status=302, headers={"Location": "ftp://example.org/clip.mp4"})],
            "address_refused",
            "https://",
        ),
    ],
    ids=["gone", "page", "large", "away", "cut", "short", "elsewhere"],
)
def test_a_fetch_that_fails_for_good_fails_the_job(
    service: Service, server: Origin, manners: list[Manner], code: str, says: str
) -> None:
    before = service.files()
    server.tag = "" if code == "fetch_failed" else server.tag
    server.manners[PATH] = list(manners)
    found, detail = failure(service, job_id := ordered(service, server.url + PATH))

    assert (found, says in detail) == (code, True), detail
    until(lambda: service.files() <= before, "nothing of it is left")
    server.manners.clear()
    assert service.http.post(f"/jobs/{job_id}/retry").status_code == 202
    service.until_status(job_id, "succeeded")


def test_what_is_no_video_fails_as_an_upload_would_be_refused(service: Service, server: Origin) -> None:
    server.files = {
        "/text": b"This is no video. " * 500,
        "/page": b"<!DOCTYPE html><html></html>",
        "/empty": b"",
    }
    found = {path: failure(service, ordered(service, server.url + path))[0] for path in server.files}

    assert found == {"/text": "not_a_video", "/page": "fetch_refused", "/empty": "empty_upload"}


def test_redirects_are_followed(service: Service, server: Origin) -> None:
    server.manners["/old"] = [Manner(status=302, headers={"Location": "/older"})]
    server.manners["/older"] = [Manner(status=308, headers={"Location": server.url + PATH})]

    service.until_status(ordered(service, f"{server.url}/old"), "succeeded")


def test_a_cancel_and_a_deletion_end_a_fetch(service: Service, server: Origin) -> None:
    before = service.files()
    release = threading.Event()
    server.manners[PATH] = [Manner(only=3000, release=release)] * 2
    canceled, deleted = (ordered(service, server.url + PATH) for _ in range(2))
    until(lambda: len(server.of("GET", PATH)) == 2, "two fetches")
    assert service.http.post(f"/jobs/{canceled}/cancel").json()["status"] == "canceled"
    assert service.http.delete(f"/jobs/{deleted}").status_code == 204
    until(lambda: service.files() <= before, "nothing of it is left")
    assert service.job(canceled)["progress"]["stage"] == "stopped"
    assert service.http.post(f"/jobs/{canceled}/retry").status_code == 202
    service.until_status(canceled, "succeeded")
    release.set()


def test_another_worker_fetches_when_one_dies(service: Service, server: Origin, video: bytes) -> None:
    release = threading.Event()
    server.manners[PATH] = [Manner(only=3000, release=release)]
    job_id = ordered(service, server.url + PATH)
    until(lambda: service.job(job_id)["progress"]["bytes_done"], "the beginning of the video")
    newest_worker().kill()
    release.set()
    job = service.until_status(job_id, "succeeded")

    assert job["input"]["sha256"] == hashlib.sha256(video).hexdigest()
    assert len(server.of("GET", PATH)) == 2


def test_a_fetch_goes_on_after_its_worker_was_told_to_stop(
    service: Service, server: Origin, video: bytes
) -> None:
    release = threading.Event()
    server.manners[PATH] = [Manner(only=3000, release=release)]
    job_id = ordered(service, server.url + PATH)
    try:
        until(lambda: service.job(job_id)["progress"]["bytes_done"], "the beginning of the video")
        newest_worker().terminate()
        job = service.until_status(job_id, "succeeded")
    finally:
        release.set()

    assert job["input"]["sha256"] == hashlib.sha256(video).hexdigest()


def test_a_result_that_nobody_takes_does_not_fail_the_job(
    service: Service, server: Origin, tmp_path: Path
) -> None:
    server.manners["/put"] = [Manner(status=403)] * 3
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(server.files[PATH])
    job_id = service.submit(clip, model=QUICK, output_url=f"{server.url}/put")
    service.until_status(job_id, "succeeded")
    dead = until(lambda: (h := service.job(job_id)["handover"])["state"] == "dead" and h, "it is given up")

    assert (dead["attempts"], dead["last_answer"], dead["next_attempt_at"]) == (3, "403", None)
    assert service.job(job_id)["status"] == "succeeded"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"input_url": "ftp://example.org/a.mp4"}, "address_refused"),
        ({"input_url": "https://user:word@example.org/a.mp4"}, "address_refused"),
        ({"input_url": "http://127.0.0.1/a.mp4", "output_url": "file:///tmp/a"}, "address_refused"),
        ({"input_url": "http://127.0.0.1/a.mp4", "webhook_url": "nowhere"}, "webhook_refused"),
        ({"input_url": "http://127.0.0.1/a.mp4", "crf": 64}, "invalid_request"),
        ({"input_url": "http://127.0.0.1/a.mp4", "crf": "20"}, "invalid_request"),
        ({"input_url": "http://127.0.0.1/a.mp4", "model": "none"}, "invalid_option"),
        ({"input_url": "http://127.0.0.1/a.mp4", "inputurl": ""}, "unknown_parameter"),
        ({"model": QUICK}, "invalid_request"),
    ],
)
def test_what_can_be_known_is_refused_at_once(service: Service, body: dict[str, Any], code: str) -> None:
    answer = service.http.post("/jobs", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
