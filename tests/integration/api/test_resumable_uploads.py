"""Uploads that are cut and go on, by tus 1.0."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import socket
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest
from tusclient.client import TusClient

from tests.support.clips import Clip, write_clip
from tests.support.stack import PATIENCE_S, QUICK, Service, running_stack, until

pytestmark = pytest.mark.integration

TUS = {"Tus-Resumable": "1.0.0"}
DAY_S = 24 * 3600
BODY = {**TUS, "Content-Type": "application/offset+octet-stream"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running_stack(tmp_path_factory.mktemp("tus"), {"CDVD_MAX_UPLOAD_BYTES": "4000000"}) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "hand held.mp4", Clip(frames=6))


def create(service: Service, length: int, **headers: str) -> httpx.Response:
    return service.http.post("/uploads", headers={**TUS, "Upload-Length": str(length), **headers})


def begun(service: Service, length: int, **headers: str) -> str:
    answer = create(service, length, **headers)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


def patch(service: Service, upload: str, offset: int, data: bytes, **headers: str) -> httpx.Response:
    return service.http.patch(upload, content=data, headers={**BODY, "Upload-Offset": str(offset), **headers})


def offset_of(service: Service, upload: str) -> int:
    return int(service.http.head(upload, headers=TUS).headers["upload-offset"])


def upload_bytes(service: Service) -> float:
    lines = service.http.get("/metrics").text.splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith("cdvd_upload_bytes_total"))


def submit(service: Service, upload: str, **fields: str) -> httpx.Response:
    form = {"model": QUICK, "upload": upload.rpartition("/")[2], **fields}
    return service.http.post("/jobs", files={name: (None, value) for name, value in form.items()})


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_public_client_sends_a_video_in_pieces_that_becomes_a_job(service: Service, clip: Path) -> None:
    client = TusClient(f"{service.url}/uploads")
    with clip.open("rb") as stream:
        uploader = client.uploader(file_stream=stream, chunk_size=1000, metadata={"filename": clip.name})
        uploader.upload()
    answer = submit(service, uploader.url)
    assert answer.status_code == 202, answer.text
    job = service.until_status(answer.json()["id"], "succeeded")
    assert job["input"]["filename"] == "hand held.mp4"
    assert job["input"]["sha256"] == hashlib.sha256(clip.read_bytes()).hexdigest()
    assert code(submit(service, uploader.url)) == (404, "upload_not_found")


def test_what_arrived_before_the_connection_broke_is_kept(service: Service, clip: Path) -> None:
    data = clip.read_bytes()
    upload = begun(service, len(data))
    address = (service.http.base_url.host, service.http.base_url.port)
    taken = upload_bytes(service)
    with socket.create_connection(address) as connection:
        lines = [f"PATCH {upload} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upload-Offset: 0"]
        lines += [f"{name}: {value}" for name, value in BODY.items()]
        connection.sendall(
            "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""]).encode() + data[:777]
        )
        until(lambda: upload_bytes(service) == taken + 777, "the gateway to read them")
    until(lambda: offset_of(service, upload) == 777, "the first bytes")
    answer = until(
        lambda: (a := patch(service, upload, 777, data[777:])).status_code != 423 and a, "its lock to go"
    )
    assert answer.status_code == 204
    assert answer.headers["upload-offset"] == str(len(data))
    assert submit(service, upload).status_code == 202


def test_an_upload_can_begin_with_its_creation(service: Service) -> None:
    answer = service.http.post("/uploads", content=b"abc", headers={**BODY, "Upload-Length": "10"})
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "3")
    assert offset_of(service, answer.headers["location"]) == 3


def test_options_say_what_there_is(service: Service) -> None:
    answer = service.http.options("/uploads")
    assert answer.headers["tus-max-size"] == "4000000"
    assert "checksum" in answer.headers["tus-extension"].split(",")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_piece_with_its_checksum_is_kept_and_another_is_not(service: Service, algorithm: str) -> None:
    upload = begun(service, 6)
    digest = base64.b64encode(hashlib.new(algorithm, b"abc").digest()).decode()
    right = {"Upload-Checksum": f"{algorithm} {digest}"}
    assert code(patch(service, upload, 0, b"abd", **right)) == (460, "checksum_mismatch")
    assert offset_of(service, upload) == 0
    assert patch(service, upload, 0, b"abc", **right).status_code == 204
    assert offset_of(service, upload) == 3


def test_bytes_for_the_wrong_place_are_refused(service: Service) -> None:
    upload = begun(service, 6)
    assert code(patch(service, upload, 3, b"abc")) == (409, "upload_offset_mismatch")
    assert code(patch(service, upload, 0, b"abcdefg")) == (413, "upload_too_large")
    assert offset_of(service, upload) == 0


def test_a_terminated_upload_is_gone(service: Service) -> None:
    upload = begun(service, 6)
    assert service.http.delete(upload, headers=TUS).status_code == 204
    assert service.http.head(upload, headers=TUS).status_code == 404
    assert code(patch(service, upload, 0, b"abc")) == (404, "upload_not_found")


def test_an_upload_that_never_becomes_complete_ends(service: Service) -> None:
    upload = begun(service, 6)
    about = service.data / upload.removeprefix("/") / "about.json"
    created = int(time.time()) - 6.5 * DAY_S
    os.utime(about, (created, created))
    answer = patch(service, upload, 0, b"a")
    assert answer.status_code == 204
    assert parsedate_to_datetime(answer.headers["upload-expires"]).timestamp() == created + 7 * DAY_S
    os.utime(about, (created - DAY_S, created - DAY_S))
    assert code(patch(service, upload, 1, b"b")) == (410, "upload_expired")
    assert service.http.head(upload, headers=TUS).status_code == 410
    begun(service, 6)  # which sweeps
    assert not about.exists()
    assert code(patch(service, upload, 1, b"b")) == (404, "upload_not_found")


def test_requests_that_are_not_tus_are_told_so(service: Service) -> None:
    assert code(service.http.post("/uploads", headers={"Upload-Length": "3"})) == (
        412,
        "tus_version_unsupported",
    )
    assert code(create(service, 4_000_001)) == (413, "upload_too_large")
    assert code(service.http.post("/uploads", headers=TUS)) == (400, "malformed_request")
    upload = begun(service, 3)
    wrong = {**TUS, "Upload-Offset": "0", "Content-Type": "video/mp4"}
    assert code(service.http.patch(upload, content=b"abc", headers=wrong)) == (415, "wrong_content_type")
    assert service.http.head("/uploads/../jobs", headers=TUS).status_code in (404, 405)


def test_a_job_waits_for_all_bytes(service: Service, clip: Path) -> None:
    data = clip.read_bytes()
    upload = begun(service, len(data))
    patch(service, upload, 0, data[:-1])
    assert code(submit(service, upload)) == (409, "upload_incomplete")
    patch(service, upload, len(data) - 1, data[-1:])
    assert code(submit(service, upload, crf="99")) == (422, "invalid_option")
    assert submit(service, upload).status_code == 202


def test_the_same_key_gives_the_same_job_though_the_upload_is_used(service: Service, clip: Path) -> None:
    data = clip.read_bytes()
    upload = begun(service, len(data))
    patch(service, upload, 0, data)
    form = {"model": (None, QUICK), "upload": (None, upload.rpartition("/")[2])}
    answers = [
        service.http.post("/jobs", files=form, headers={"Idempotency-Key": "resumed"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["id"] == answers[1].json()["id"]


def half_sent(service: Service, upload: str, data: bytes, **headers: str) -> socket.socket:
    """A request for all of ``data`` that stops after half of it."""
    address = (service.http.base_url.host, service.http.base_url.port)
    connection = socket.create_connection(address, timeout=PATIENCE_S)
    lines = [f"PATCH {upload} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upload-Offset: 0"]
    lines += [f"{name}: {value}" for name, value in {**BODY, **headers}.items()]
    head = "\r\n".join([*lines, f"Content-Length: {len(data)}", "", ""])
    connection.sendall(head.encode() + data[: len(data) // 2])
    return connection


def test_a_new_writer_takes_the_place_of_one_that_vanished(service: Service, clip: Path) -> None:
    data = clip.read_bytes()
    upload, half = begun(service, len(data)), len(data) // 2
    with half_sent(service, upload, data) as vanished:
        until(lambda: offset_of(service, upload) == half, "what has arrived")
        answer = patch(service, upload, half, data[half:])
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(len(data)))
        told = HTTPResponse(vanished)
        told.begin()
        assert (told.status, json.loads(told.read())["code"]) == (423, "upload_locked")
    assert submit(service, upload).status_code == 202


def test_of_a_vanished_writer_with_a_checksum_nothing_is_kept(service: Service, clip: Path) -> None:
    data = clip.read_bytes()
    upload = begun(service, len(data))
    checksum = "sha1 " + base64.b64encode(hashlib.sha1(data).digest()).decode()
    with half_sent(service, upload, data, **{"Upload-Checksum": checksum}):
        until(lambda: offset_of(service, upload) == len(data) // 2, "what has arrived")
        answer = until(lambda: (a := patch(service, upload, 0, data)).status_code != 409 and a, "its undoing")
        assert answer.status_code == 204
